"""The table of tunings: who gets one, and that a list without it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from edgebin.kernels.choose import RULES, always, by_model, choose
from edgebin.kernels.select import usable_variants
from edgebin.kernels.shape import CallShape, spell_epilogue
from edgebin.kernels.tuner import Tuner
from edgebin.kernels.variants import Variant, find_variant
from edgebin.targets import list_targets, load_target

BITS, F32 = "scale,bias,threshold0:bits0", "scale,bias:out"
RESIDUAL, RPRELU = "scale,bias,residual0:out", "scale,bias,residual0,slope,offset:out"
LARGE = CallShape("b1_gemm", BITS, (196, 384, 1536))
NEON_PATHS = {"cortex-a53": ("neon",), "cortex-a72": ("neon",), "cortex-a76": ("neondot", "neon")}
BOARDS = {"cortex-a53": "rpi3b-plus", "cortex-a72": "rpi4b", "cortex-a76": "rpi5"}


def with_made_up(kernel: str, paths: Sequence[str], tunings: Sequence[str]) -> list[Variant]:
    """The paths' own kernels, and these tunings whether or not they are written."""
    own = [find_variant(kernel, path) for path in paths]
    return own + [replace(own[-1], path=name, symbol=f"eb_{kernel}__{name}") for name in tunings]


@pytest.mark.parametrize(
    ("core", "call", "expected"),
    [
        ("cortex-a53", LARGE, "neon_inorder"),
        ("cortex-a53", CallShape("rows", F32, (196, 384)), "neon_inorder"),
        ("cortex-a53", CallShape("b1_gemm", RESIDUAL, (196, 384, 384)), "neon_inorder"),
        ("cortex-a53", CallShape("b1_gemm", F32, (3136, 64, 64)), "neon_inorder"),
        ("cortex-a53", CallShape("b1_gemm", RESIDUAL, (3136, 64, 64)), "neon_inorder"),
        ("cortex-a53", CallShape("b1_gemm", RPRELU, (196, 384, 384)), "neon_inorder"),
        ("cortex-a53", CallShape("b1_gemm", BITS, (1, 384, 1000)), "neon"),
        ("cortex-a72", LARGE, "neon"),
        ("cortex-a76", LARGE, "neon_tbl"),
        ("cortex-a76", CallShape("b1_gemm_ternary", RPRELU, (196, 384, 768)), "neon_tbl"),
        ("cortex-a76", CallShape("b1_gemm", F32, (1, 384, 1000)), "neon_tbl"),
        ("cortex-a76", CallShape("b1_gemm", BITS, (3136, 64, 64)), "neon_tbl"),
        ("cortex-a76", CallShape("b1_gemm", F32, (3136, 64, 64)), "neondot"),
        ("cortex-a76", CallShape("w1_gemm", F32, (196, 384, 1536)), "neondot"),
    ],
)
def test_who_gets_a_tuning(core: str, call: CallShape, expected: str) -> None:
    target = load_target(BOARDS[core])
    assert target.core.id == core
    listed = with_made_up(call.kernel, NEON_PATHS[core], ["neon_inorder", "neon_tbl"])
    assert choose(call, listed, target.core).path == expected


@pytest.mark.parametrize("target", list_targets(), ids=lambda target: target.id)
def test_a_tuning_that_is_not_written_is_not_chosen(target) -> None:
    paths = tuple(path for path in target.kernel_paths if path != "scalar")
    for call in (LARGE, CallShape("rows", F32, (196, 384)), CallShape("b1_attention", "int", (6, 64, 196, 196, 3))):
        listed = with_made_up(call.kernel, paths, [])
        assert choose(call, listed, target.core) is listed[0]
        # And of the real list only what is in it.
        assert by_model(paths, target.core)(call) in usable_variants(call.kernel, paths)


def test_rules_name_tunings_once() -> None:
    assert len({rule.tuning for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("out", "bits_only"),
    [(BITS, True), (F32, False), ("scale,threshold0:out,bits0", False), ("threshold0,threshold1:bits0,bits1", True),
     ("int", False), ("scale,bias,residual0/4:out:4", False)],
)  # fmt: skip
def test_what_is_stored(out: str, bits_only: bool) -> None:
    assert CallShape("b1_gemm", out, (1, 64, 64)).bits_only is bits_only


def test_epilogues_are_spelt_as_the_probe_reads_them() -> None:
    operands = [("scale", 64), ("bias", 64), ("residual0", 16), ("residual1", 64), ("threshold0", 64)]
    assert (
        spell_epilogue(operands, ["out", "bits0"], 4, 64) == "scale,bias,residual0/4,residual1,threshold0:out,bits0:4"
    )
    assert spell_epilogue([], ["out"], 1, 64) == ":out"


def test_a_tuner_takes_the_fastest_and_measures_each_call_once() -> None:
    asked: list[CallShape] = []

    def measure(call: CallShape, kernels: Sequence[Variant]) -> dict[str, int]:
        asked.append(call)
        return {variant.path: 10 if variant.path == "avx2" else 20 for variant in kernels}

    tuner = Tuner("a machine", "2026-01-02", measure)
    pick = tuner.choose_for(("avx512", "avx2", "scalar"))
    assert [pick(LARGE).path, pick(LARGE).path] == ["avx2", "avx2"]
    assert asked == [LARGE]
    assert tuner.results[LARGE] == ("avx2", {"avx512": 20, "avx2": 10, "scalar": 20})
    assert tuner.choose_for(("avx512", "scalar"))(CallShape("rows", F32, (1, 64))).path == "avx512"


def test_always_takes_a_tunings_path_where_the_tuning_has_no_kernel() -> None:
    assert always("neon_inorder")(CallShape("f32_stencil", "f32", (8, 8, 64))).path == "neon"
