"""Ratios of timings, and the peers: the faster int8 counts, and a product's peer computes that product."""

from __future__ import annotations

import pytest

from benchmarks.kernels.host import figures
from benchmarks.kernels.peers import onnxruntime_peers, published
from benchmarks.kernels.shapes import Call, Part


def test_ratios_of_minima_and_of_medians() -> None:
    peers = {"fp32": [100, 120, 140], "int8 dynamic": [50, 60, 70], "int8 static": [40, 80, 90]}
    row = figures(1000, [10, 20, 30], peers)
    assert (row["ns_min"], row["ns_median"], row["gmac_per_s"]) == (10, 20, 100.0)
    assert row["speedup_vs_ort_fp32"] == pytest.approx(10.0)
    assert row["speedup_vs_ort_fp32_median"] == pytest.approx(6.0)
    assert row["speedup_vs_ort_int8"] == pytest.approx(4.0)
    assert row["speedup_vs_ort_int8_median"] == pytest.approx(3.0)


def test_what_has_no_peer_has_no_ratio() -> None:
    row = figures(0, [10, 20, 30], {})
    assert row["speedup_vs_ort_fp32"] is row["speedup_vs_ort_int8"] is row["gmac_per_s"] is None


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (Call("b1_gemm", (4, 8, 16), "f32"), ["fp32", "int8 dynamic", "int8 static"]),
        (Call("b1_attention", (2, 8, 3, 5, 1), "int"), ["fp32"]),
        (Call("b1_conv", (5, 4, 8, 8, 3, 2, 2), "f32"), ["fp32"]),
        (Call("rows", (4, 8), "bits"), []),
    ],
)
def test_peers_run(call: Call, names: list[str]) -> None:
    peers = onnxruntime_peers(call)
    assert list(peers) == names
    for run in peers.values():
        run()


def test_published_counts_are_for_the_same_shape_and_output() -> None:
    (peer,) = published(Call("b1_gemm", (196, 384, 384), "bits"))
    assert peer["bmac_per_instruction"] == 31.90
    assert published(Call("b1_gemm", (196, 384, 384), "f32+residual")) == []
    assert published(Call("f32_gemm", (196, 384, 384), "f32")) == []
    part = Call("b1_attention", (6, 64, 196, 196, 1), "int", part=Part((196, 64, 196), ("agree_rows",)))
    assert [peer["bmac_per_instruction"] for peer in published(part)] == [9.49]
