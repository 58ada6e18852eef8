"""BiViT networks with the goldens' parameters."""

from __future__ import annotations

import json

import numpy as np
import torch

from edgebin.models.classifier import ImageClassifier
from edgebin.models.registry import construct
from edgebin.models.timm_config import AttentionKind, DeiTConfig, MlpMode, TimmConfig
from tests.golden import recipe
from tests.golden.load import HERE, Golden, micro_state


def recipe_model(config: TimmConfig) -> ImageClassifier:
    """A network with the recipe's parameters, float32, in evaluation mode."""
    with torch.device("meta"):
        model = construct(config)
    state = {
        name: torch.from_numpy(np.asarray(recipe.param(name, tuple(value.shape))))
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(state, strict=True, assign=True)
    return model.eval()


def micro_model(arrays: Golden, mlp: MlpMode, attention: AttentionKind = "softmax-aware") -> ImageClassifier:
    """The micro network of `bivit_micro.json` with the state dict that its golden holds, float32."""
    sizes = json.loads((HERE / "bivit_micro.json").read_text())
    config = DeiTConfig(
        image_size=sizes["img_size"],
        patch_size=sizes["patch_size"],
        classes=sizes["num_classes"],
        depths=(sizes["depth"],),
        dims=(sizes["embed_dim"],),
        heads=(sizes["num_heads"],),
        mlp_dims=(sizes["mlp_ratio"] * sizes["embed_dim"],),
        attention=attention,
        mlp=mlp,
    )
    model = construct(config)
    model.load_state_dict(micro_state(arrays), strict=True)
    return model.eval()
