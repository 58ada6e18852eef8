"""Layers are set beside the module's own by node, and what has no counterpart has no ratio."""

from __future__ import annotations

import io

from benchmarks.backends.executed import Executed
from benchmarks.backends.report import layer_rows, print_layers, print_runtimes, runtime_rows, worst
from edgebin.bundle.manifest import Operation

OPERATIONS = [
    Operation(function="f", kind="b1_gemm", variant="neon", nodes=("first",), macs=10, bytes_=4),
    Operation(function="g", kind="b1_gemm", variant="neon", nodes=("second",), macs=10, bytes_=4),
    Operation(function="h", kind="rows", variant="neon", nodes=("third",), macs=0, bytes_=4),
]
EXECUTED = {
    "tvm": Executed({"first": 100, "second": 200, "third": 50}, between=60, outside=0, model_cycles=300.0),
    "other": Executed({"second": 210, "first": 104, "third": 500}, between=40, outside=7, model_cycles=400.0),
    "part": Executed({"first": 90}, between=0, outside=0, model_cycles=1.0),
}


def test_layers_meet_by_node_not_by_order() -> None:
    rows = layer_rows("net", "rpi4b", OPERATIONS, EXECUTED)
    assert [row["ratio"] for row in rows[:2]] == [{"other": 1.04, "part": 0.9}, {"other": 1.05, "part": None}]
    found = worst(rows, "other", ["b1_gemm"])
    assert found is not None
    assert found["layer"] == "second", "`rows` is no binary kernel"
    assert worst(rows, "other", ["b1_conv"]) is None


def test_runtimes_add_up() -> None:
    tvm, other, part = runtime_rows("net", "rpi4b", EXECUTED)
    assert (tvm["instructions"], other["instructions"], part["instructions"]) == (410, 861, 90)
    assert (tvm["between_per_node"], part["between_per_node"]) == (30, 0)


def test_tables_show_calls_of_one_size_together() -> None:
    stream = io.StringIO()
    print_layers(layer_rows("net", "rpi4b", OPERATIONS, EXECUTED), stream)
    print_runtimes(runtime_rows("net", "rpi4b", EXECUTED), stream)
    lines = stream.getvalue().splitlines()
    assert lines[3].split() == ["2", "b1_gemm", "neon", "150", "157", "1.050", "-", "-"]
    assert lines[4].split() == ["1", "rows", "neon", "50", "500", "10.000", "-", "-"]
    assert lines[-2].split()[:2] == ["other", "861"]
