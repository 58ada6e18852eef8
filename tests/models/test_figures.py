"""Computed figures against published ones: parameters, 1-bit weights, OPs, sizes."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from edgebin.graph.accounting import MACS_PER_OP
from edgebin.models import figures
from edgebin.models.figures import figures_of
from edgebin.models.published import published, system_of
from edgebin.models.registry import FAMILIES, PRESETS, construct
from edgebin.models.timm_config import MLP_MODES, DeiTConfig

BIVIT = [model for model in PRESETS if model.startswith("bivit") and published(model)]


# Parameters, 1-bit weights (10^6), BOPs (10^9), FLOPs and OPs (10^6); source: the published code, counted by its forks'
# profiler too.
@pytest.mark.parametrize(
    ("model", "parameters", "weights", "bops", "flops", "ops"),
    [
        ("bhvit-tiny", 13_783_096, 12.630, 2.539, 10.15, 49.8),
        ("bhvit-tiny-fdl", 13_779_960, 11.942, 2.462, 87.22, 125.7),
        ("bhvit-small", 22_646_056, 21.333, 4.057, 10.15, 73.5),
        ("bhvit-small-fdl", 22_642_920, 20.645, 3.980, 87.22, 149.4),
        ("binaryvit-small", 22_491_771, 21.197, 3.822, 10.15, 69.9),
        ("binaryvit-small-fdl", 22_488_635, 20.509, 3.745, 87.22, 145.7),
        ("reactdeit-small", 22_294_900, 21.234, 4.541, 58.19, 129.1),
    ],
)
def test_operations(model: str, parameters: int, weights: float, bops: float, flops: float, ops: float) -> None:
    got = figures_of(PRESETS[model])
    assert got.parameters == parameters
    assert round(got.binary_weights / 1e6, 3) == weights
    assert round(got.bops / 1e9, 3) == bops
    assert round(got.flops / 1e6, 2) == flops
    assert round(got.ops / 1e6, 1) == ops


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("reactdeit-small-avgpool", 22_294_132),
        ("reactdeit-small-mb", 22_330_996),
        ("reactdeit-small-ls", 22_349_428),
    ],
)
def test_parameters_of_the_ablation(model: str, parameters: int) -> None:
    assert figures_of(PRESETS[model]).parameters == parameters


# MiB of weights alone; MB of everything, what is not 1 bit as float32 and as float16.
@pytest.mark.parametrize(
    ("model", "weights_mib", "float_mb", "half_mb"),
    [
        ("bhvit-tiny", 2.49, 6.19, 3.88),
        ("bhvit-tiny-fdl", 3.72, 8.85, 5.17),
        ("bhvit-small", 3.53, 7.92, 5.29),
        ("bhvit-small-fdl", 4.76, 10.57, 6.58),
    ],
)
def test_sizes(model: str, weights_mib: float, float_mb: float, half_mb: float) -> None:
    got = figures_of(PRESETS[model])
    assert round(got.weight_bytes / 2**20, 2) == weights_mib
    assert round(got.packed_bytes / 1e6, 2) == float_mb
    assert round(got.half_packed_bytes / 1e6, 2) == half_mb


@pytest.mark.parametrize(
    ("model", "float_mb", "half_mb"), [("binaryvit-small", 7.83, 5.24), ("binaryvit-small-fdl", 10.48, 6.52)]
)
def test_sizes_of_binaryvit(model: str, float_mb: float, half_mb: float) -> None:
    got = figures_of(PRESETS[model])
    assert (round(got.packed_bytes / 1e6, 2), round(got.half_packed_bytes / 1e6, 2)) == (float_mb, half_mb)


@pytest.mark.parametrize("model", BIVIT)
def test_every_digit_of_bivits_operations(model: str) -> None:
    """Only with the layer norms do they come out, and then all twelve do."""
    known = published(model)
    assert known
    assert known.ops_g
    assert round(figures_of(PRESETS[model]).ops_with_norms / 1e9, _decimals(known.ops_g)) == known.ops_g


@pytest.mark.parametrize("model", BIVIT)
def test_every_digit_of_bivits_sizes(model: str) -> None:
    """Binary Swin is printed smaller, by what its layer norms take, and two twins differ in the last digit."""
    off = {
        "bivit-swin-t": 12.7,
        "bivit-swin-s": 15.5,
        "bivit-deit-t-full-precision": 22.9,
        "bivit-nest-t-full-precision": 68.2,
    }
    known = published(model)
    assert known
    assert known.size_mb
    got = figures_of(PRESETS[model]).bytes_without_binary_vectors / 1e6
    assert round(got, _decimals(known.size_mb)) == off.get(model, known.size_mb)
    assert got == pytest.approx(known.size_mb, rel=0.01)


@pytest.mark.parametrize("model", PRESETS)
def test_one_layer_of_each_stage_stands_for_all(model: str) -> None:
    config = PRESETS[model]
    with torch.device("meta"):
        whole = construct(config)
    assert figures_of(config).parameters == sum(parameter.numel() for parameter in whole.parameters())


@pytest.mark.parametrize("model", ["bhvit-small", "bivit-swin-s", "bivit-nest-s"])
def test_work_grows_evenly_with_depth(model: str) -> None:
    config = PRESETS[model]
    counted = [
        figures_of(dataclasses.replace(config, depths=(*config.depths[:-1], depth))).macs["binary"]
        for depth in (1, 2, 3)
    ]
    assert counted[2] - counted[1] == counted[1] - counted[0] > 0


@pytest.mark.parametrize("mode", MLP_MODES)
def test_no_mlp_is_counted_as_something_else(mode: str) -> None:
    got = figures_of(DeiTConfig(mlp=mode)).macs  # type: ignore[arg-type]
    mlps = 12 * 197 * 2 * 384 * 1536
    stem_and_head = 196 * 16 * 16 * 3 * 384 + 384 * 1000
    attention = 12 * (197 * 384 * 3 * 384 + 2 * 197 * 197 * 384)
    assert got["ternary"] == 12 * 197 * 384 * 384
    assert got["binary"] == attention + (mlps if mode.startswith("w1a1") else 0)
    assert got["1-bit weight"] == (mlps if mode.startswith("w1a32") else 0)
    assert got["full precision"] == stem_and_head + (mlps if mode == "fp" else 0)


def test_graphs_are_counted_by_the_same_rule() -> None:
    assert {str(kind): macs for kind, macs in MACS_PER_OP.items()} == figures.MACS_PER_OP


def test_every_network_belongs_to_a_system() -> None:
    assert all(system_of(model).title for model in [*PRESETS, *FAMILIES])
    assert "Xiao" in system_of("binaryvit-small").beware
    assert "SI-BiViT" in system_of("bivit-deit-t").beware


def _decimals(printed: float) -> int:
    return len(str(printed).partition(".")[2])
