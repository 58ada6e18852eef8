"""BHViT's work as the paper counts it, from what the inference form runs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from edgebin.models.bhvit_config import BHViTConfig
from edgebin.models.registry import PRESETS
from edgebin.nn.attention import TableAttention
from edgebin.nn.dilated_conv import PackedConv2d
from edgebin.nn.freeze import freeze
from edgebin.nn.linear import PackedLinear
from tests.golden.load import recipe_model


# Binary multiply-accumulates (10^9), float ones (10^6), binary weights (10^6), parameters; source: the published code,
# counted by its forks' profiler too.
@pytest.mark.parametrize(
    ("model_id", "binary", "full_precision", "weights", "parameters"),
    [
        ("bhvit-tiny", 2.539, 10.15, 12.630, 13_783_096),
        ("bhvit-tiny-fdl", 2.462, 87.22, 11.942, 13_779_960),
        ("bhvit-small", 4.057, 10.15, 21.333, 22_646_056),
        ("bhvit-small-fdl", 3.980, 87.22, 20.645, 22_642_920),
    ],
)
def test_counts_are_the_published_ones(
    model_id: str, binary: float, full_precision: float, weights: float, parameters: int
) -> None:
    config = PRESETS[model_id]
    assert isinstance(config, BHViTConfig)
    model = recipe_model(config, {})
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    counts = count(freeze(model), torch.zeros(1, 3, 224, 224))
    assert round((counts["binary"] + config.macs_of_repeated_merge_tokens) / 1e9, 3) == binary
    assert round(counts["full precision"] / 1e6, 2) == full_precision
    assert round(counts["weights"] / 1e6, 3) == weights


def test_repeats_are_those_of_the_third_stage() -> None:
    """Only the third stage has more than one, four, whose four merge tokens are the same in each."""
    assert BHViTConfig().macs_of_repeated_merge_tokens == 6 * (4 * 3) * 3 * 256**2


def count(frozen: nn.Module, image: Tensor) -> dict[str, int]:
    """Multiply-accumulates and binary weights of one run."""
    counts = {"binary": 0, "full precision": 0, "weights": 0}

    def hook(module: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> None:
        if isinstance(module, PackedLinear):
            products, kept = output.numel() * module.k, output.shape[-1] * module.k
        elif isinstance(module, PackedConv2d):
            products_each = module.kernel**2 * module.channels // module.groups
            products, kept = output.numel() * products_each, output.shape[-1] * products_each
        elif isinstance(module, TableAttention):
            products, kept = output.numel() * arguments[1].shape[1] * 2, 0  # three maps are counted as one, of two bits
        elif isinstance(module, nn.Linear):
            counts["full precision"] += output.numel() * module.in_features
            return
        else:
            return
        counts["binary"] += products
        counts["weights"] += kept

    for module in frozen.modules():
        module.register_forward_hook(hook)
    with torch.inference_mode():
        frozen(image)
    return counts
