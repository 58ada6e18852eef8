"""The published aarch64 wheels run in the emulated system, each on the processor that the target names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.backends.emulated import Job, run_emulated
from edgebin.targets import load_target
from edgebin.toolchain.userland import Userland, userland_command

IMPORTS = """
import platform, numpy, onnxruntime, tflite_runtime, ai_edge_litert.interpreter
print(platform.machine(), onnxruntime.__version__, tflite_runtime.__version__, numpy.__version__)
print("asimddp" in open("/proc/cpuinfo").read())
"""


@pytest.mark.parametrize(("target_id", "has_dot_product"), [("rpi4b", "False"), ("rpi5", "True")])
def test_wheels_load(arm64: Userland, target_id: str, has_dot_product: str) -> None:
    done = subprocess.run(
        userland_command(load_target(target_id), ["-c", IMPORTS]), capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["aarch64", "1.31.1", "2.14.0", "1.26.4", has_dot_product], done.stderr


@pytest.mark.parametrize("target_id", ["rpi4b", "rpi5"])
def test_onnxruntime_computes(arm64: Userland, target_id: str, tmp_path: Path) -> None:
    weight = np.random.default_rng(0).integers(-4, 5, (64, 24)).astype(np.float32)
    graph = onnx.parser.parse_graph("g (float[2, 64] x) => (float[2, 24] y) { y = MatMul(x, w) }")
    graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    model = onnx.helper.make_model(graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 20)])
    onnx.save(model, tmp_path / "matmul.onnx")
    x = np.random.default_rng(1).integers(-4, 5, (6, 64)).astype(np.float32)
    jobs = [
        Job("onnxruntime", tmp_path / "matmul.onnx", {"x": x}),
        Job("onnxruntime", tmp_path / "none.onnx", {"x": x}),
    ]
    done, refused = run_emulated(load_target(target_id), jobs, tmp_path / "run")
    np.testing.assert_array_equal(done["y"], x @ weight)
    assert "none.onnx" in str(refused["error"])
