"""The limits are those that the literature gives for these cores, from the same rates that the model uses."""

from __future__ import annotations

import pytest

from benchmarks.kernels.limits import limit_of, work_kind
from edgebin.profile.estimate.cores import core_model
from edgebin.profile.estimate.instructions import Kind
from edgebin.targets import load_target


@pytest.mark.parametrize(
    ("board", "op", "kind", "macs_per_cycle"),
    [
        ("rpi3b-plus", "b1_gemm", Kind.CNT, 42.7),
        ("rpi4b", "b1_gemm", Kind.CNT, 64.0),
        ("rpi5", "b1_attention", Kind.CNT, 85.3),
        ("rpi5", "b1_gemm", Kind.TABLE, 109.7),
        ("rpi5", "b1_gemm", Kind.LONG_TABLE, 137.1),
        ("rpi4b", "f32_gemm", Kind.FMA, 4.0),
        ("rpi5", "f32_gemm", Kind.FMA, 8.0),
        ("rpi5", "w1i8_gemm", Kind.DOT, 32.0),
    ],
)
def test_limits(board: str, op: str, kind: Kind, macs_per_cycle: float) -> None:
    assert limit_of(op, kind, core_model(load_target(board).core)) == pytest.approx(macs_per_cycle, abs=0.05)


def test_an_epilogue_of_floats_does_not_make_a_binary_product_one_of_floats() -> None:
    assert work_kind("b1_gemm", {Kind.CNT: 16, Kind.FMA: 100, Kind.TABLE: 4}) is Kind.CNT
    assert work_kind("f32_gemm", {Kind.FMA: 3, Kind.TABLE: 4}) is Kind.FMA
    assert work_kind("rows", {Kind.FMA: 3}) is None


def test_a_few_dot_products_beside_look_ups_of_bytes_do_not_do_the_work() -> None:
    kind = work_kind("w1i8_gemm", {Kind.DOT: 3, Kind.TABLE: 400})
    assert kind is Kind.TABLE
    assert limit_of("w1i8_gemm", kind, core_model(load_target("rpi5").core)) is None
