"""Our libraries in other runtimes execute what the TVM module does, layer by layer. Counts are exact and repeatable."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.backends.__main__ import BINARY_KERNELS
from benchmarks.backends.emulated import RUNTIMES, Job
from benchmarks.backends.executed import executed_by_library, executed_by_module
from benchmarks.backends.files import lowered_for, onnx_files, tflite_files
from benchmarks.backends.report import layer_rows, runtime_rows, worst
from edgebin.bundle import open_bundle
from edgebin.bundle.compile import compile_bundle
from edgebin.bundle.source import read_source
from edgebin.targets import load_target
from edgebin.toolchain.userland import Userland
from tests.aarch64.conftest import Libraries


@pytest.mark.slow
@pytest.mark.parametrize("target_id", ["rpi4b", "rpi5"])
def test_no_binary_layer_executes_more_than_a_tenth_more(
    arm64: Userland, libraries: Libraries, target_id: str, road: Path, tmp_path: Path
) -> None:
    target, source = load_target(target_id), read_source(road / "net.export", "binary")
    bundle = open_bundle(compile_bundle(road / "net.export", target, tmp_path / "tvm.ebz", fetch=True).bundle)
    for_onnx = onnx_files(lowered_for(source.model, target, "ort"), libraries(target_id)["onnx"], tmp_path)
    for_tflite = tflite_files(lowered_for(source.model, target, "tflite"), libraries(target_id)["tflite"], tmp_path)
    executed = {"tvm": executed_by_module(bundle)}
    for runtime in RUNTIMES:
        files = for_onnx if runtime == "onnxruntime" else for_tflite
        job = Job(runtime, files.model, {"pixel_values": source.inputs["pixel_values"][:1]}, files.library)
        executed[runtime] = executed_by_library(target, job, tmp_path / runtime, files.nodes)
    rows = layer_rows("net", target_id, bundle.manifest.operations, executed)
    assert {row["kernel"] for row in rows} >= {"b1_gemm", "b1_attention"}
    for runtime in RUNTIMES:
        assert all(row["ratio"][runtime] is not None for row in rows), "every call of the module is one of the library"
        worst_row = worst(rows, runtime, BINARY_KERNELS)
        assert worst_row is not None
        assert worst_row["ratio"][runtime] <= 1.1, worst_row
    for row in runtime_rows("net", target_id, executed):
        assert row["in_nodes"] + row["between_nodes"] + row["outside"] == row["instructions"]
