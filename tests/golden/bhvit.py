"""BHViT's micro network and the variants that goldens exist of."""

from __future__ import annotations

import json
from dataclasses import replace

from torch import Tensor

from edgebin.models.bhvit import BHViT
from edgebin.models.bhvit_config import CONV_STAGES, BHViTConfig
from tests.golden.load import HERE, Golden, micro_state

TINY = BHViTConfig()
NETWORKS = {
    "bhvit_tiny": TINY,
    "bhvit_tiny_gsb": replace(TINY, gsb=True),
    "bhvit_tiny_somefp": replace(TINY, full_precision_downsampling=True),
}


def micro_config() -> BHViTConfig:
    """The config of `bhvit_micro`: all of BHViT's parts, one layer a stage."""
    sizes = json.loads((HERE / "bhvit_micro.json").read_text())
    return BHViTConfig(
        classes=sizes["num_labels"],
        depths=tuple(sizes["depths"]),
        dims=tuple(sizes["hidden_size"]),
        heads=tuple(sizes["num_attention_heads"][CONV_STAGES:]),
        mlp_dims=tuple(sizes["intermediate_size"]),
        full_precision_downsampling=sizes["some_fp"],
        gsb=sizes["gsb"],
    )


def micro_model(arrays: Golden) -> BHViT:
    """The micro network with the state dict that its golden holds, float32."""
    model = BHViT(micro_config())
    model.load_state_dict(micro_state(arrays), strict=True)
    model.eval()
    return model


def as_tokens(features: Tensor) -> Tensor:
    """Feature maps [B, C, H, W], as the authors' blocks pass them on, as tokens [B, H·W, C]; tokens as they are."""
    return features.flatten(2).transpose(1, 2) if features.ndim == 4 else features
