"""Models with the goldens' parameters, and what the authors' code computed with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgebin.models.binaryvit import BinaryViT
from edgebin.models.classifier import ImageClassifier
from edgebin.models.config import BinaryViTConfig, ModelConfig
from edgebin.models.registry import PRESETS, construct
from tests.golden import recipe

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared"

Golden = dict[str, NDArray[Any]]


def shared(path: str) -> Path:
    """A file too large for this repository; skips the test where it is missing."""
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"needs ../shared/{path}")
    return file


def golden(name: str) -> Golden:
    """The arrays of a golden: from this folder where they are small, else from the shared one."""
    file = HERE / f"{name}.npz"
    with np.load(file if file.exists() else shared(f"golden/{name}.npz")) as arrays:
        return dict(arrays)


def published_model(model_id: str, arrays: Golden) -> ImageClassifier:
    """A published network with the recipe's parameters and a golden's overrides, float32."""
    return recipe_model(PRESETS[model_id], arrays)


def recipe_model(config: ModelConfig, arrays: Golden) -> ImageClassifier:
    """Any network with the recipe's parameters and a golden's overrides, float32."""
    with torch.device("meta"):
        model = construct(config)
    state = {
        name: torch.from_numpy(np.asarray(arrays.get(f"ov/{name}", recipe.param(name, tuple(value.shape)))))
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(state, strict=True, assign=True)
    return model.eval()


def micro_config(*, full_precision_downsampling: bool = False) -> BinaryViTConfig:
    """The config of `binaryvit_micro`: all of BinaryViT's parts, one layer a stage."""
    sizes = json.loads((HERE / "binaryvit_micro.json").read_text())
    return BinaryViTConfig(
        patch_size=4,
        classes=sizes["num_labels"],
        depths=tuple(sizes["depths"]),
        dims=tuple(sizes["hidden_size"]),
        heads=tuple(sizes["num_attention_heads"]),
        mlp_dims=tuple(sizes["intermediate_size"]),
        reductions=tuple(sizes["reduction_ratio"]),
        class_token=False,
        stem_norm=True,
        average_windows=(3, 5),
        layer_scale=True,
        full_precision_downsampling=full_precision_downsampling,
    )


def micro_model(arrays: Golden, *, full_precision_downsampling: bool = False) -> BinaryViT:
    """The micro network with the state dict that its golden holds, float32."""
    model = BinaryViT(micro_config(full_precision_downsampling=full_precision_downsampling))
    model.load_state_dict(micro_state(arrays), strict=True)
    return model.eval()


def micro_state(arrays: Golden) -> dict[str, Tensor]:
    """The state dict in a micro golden."""
    return {name.removeprefix("sd/"): torch.from_numpy(a) for name, a in arrays.items() if name.startswith("sd/")}


def distance(got: Tensor, expected: NDArray[Any]) -> float:
    """Largest difference, in standard deviations of what is expected."""
    return float(np.abs(got.double().numpy() - expected).max() / expected.std())
