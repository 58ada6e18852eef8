"""The bundle's runner with LiteRT as its engine: no Python, the delegate as an accelerator."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebin.targets import load_target
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.runner import build_runner
from edgebin.toolchain.runtime import runtime_libraries
from tests.tflite.lce import SAME, Conv, Values, conv_model, expected
from tests.tflite.model import Model
from tests.tflite.test_delegate import mixed_model

pytest.importorskip("ai_edge_litert")

CASE = Conv(40, 50, kernel=(3, 3), padding=SAME)
SPEC = "edgebin-io 1\nbatch 1\ntolerance 1e-05 0.0001\n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, compiler: Compiler, library: Path) -> Path:
    """A folder like an unpacked bundle, but for its model."""
    folder = tmp_path_factory.mktemp("bundle")
    target = load_target("x86-64")
    libraries = runtime_libraries(target, "tflite")
    build_runner(target, compiler, libraries, folder / "runner", "tflite")
    (folder / "lib").mkdir()
    for path in libraries.paths:
        (folder / "lib" / path.name).symlink_to(path)
    shutil.copy(library, folder)
    return folder


class Runner:
    def __init__(self, bundle: Path, folder: Path, model: bytes, spec: str, **inputs: np.ndarray) -> None:
        self.bundle, self.folder = bundle, folder
        (folder / "model.tflite").write_bytes(model)
        (folder / "io.txt").write_text(SPEC + spec)
        np.savez(folder / "in.npz", **inputs)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        files = ["--model", self.folder / "model.tflite", "--io", self.folder / "io.txt"]
        argv = [self.bundle / "runner", *files, "--input", self.folder / "in.npz", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60)

    def report(self, *arguments: str) -> dict[str, Any]:
        done = self.call(*arguments)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def outputs(self, *arguments: str) -> dict[str, np.ndarray]:
        self.report("--output", str(self.folder / "out.npz"), *arguments)
        with np.load(self.folder / "out.npz") as arrays:
            return dict(arrays)


@pytest.fixture
def conv(bundle: Path, tmp_path: Path) -> Runner:
    values = Values.of(CASE)
    spec = "input x float32 1 5 7 40\noutput y float32 1 5 7 50\n"
    x = np.concatenate([values.x, -values.x, values.x[:, ::-1]])
    return Runner(bundle, tmp_path, conv_model(CASE, values), spec, x=x)


def test_it_computes_what_numpy_does(conv: Runner) -> None:
    values = Values.of(CASE)
    got = conv.outputs()["y"]
    want = [expected(CASE, Values(x, *(getattr(values, n) for n in ("weight", "multiplier", "bias", "thresholds"))))
            for x in (values.x, -values.x, values.x[:, ::-1])]  # fmt: skip
    np.testing.assert_allclose(got, np.concatenate(want), rtol=1e-5, atol=1e-5)


def test_threads_are_ours_and_change_no_bit(conv: Runner) -> None:
    assert conv.report()["process_threads"] == 1
    assert conv.report("--threads", "3")["process_threads"] >= 3
    np.testing.assert_array_equal(conv.outputs()["y"], conv.outputs("--threads", "3")["y"])


def test_our_nodes_are_timed_and_the_rest_is_litert(conv: Runner) -> None:
    report = conv.report("--bench", "--per-op", "--min-runs", "3", "--min-seconds", "0", "--warmup-seconds", "0")
    assert [function["name"] for function in report["functions"]] == ["bits", "y", "(LiteRT)"]
    assert {function["calls"] for function in report["functions"]} == {report["functions_runs"]}
    assert len(report["samples_ns"]) >= 3


def test_results_of_nodes_are_sampled(conv: Runner) -> None:
    layers = conv.report("--layers")["layers"]
    assert [layer["function"] for layer in layers] == ["bits", "y"]
    np.testing.assert_allclose(layers[1]["values"][0], conv.outputs()["y"][0, 0, 0, 0], rtol=1e-6)


def test_xnnpack_has_the_builtin_ops(bundle: Path, tmp_path: Path) -> None:
    x = Values.of(Conv(64, 64)).x
    spec = "input x float32 1 5 7 64\noutput total1 float32 1 5 7 64\n"
    runner = Runner(bundle, tmp_path, mixed_model(), spec, x=x)
    assert "XNNPACK" in runner.call().stderr
    assert runner.outputs()["total1"].shape == (1, 5, 7, 64)


def test_inputs_and_outputs_go_by_their_names(bundle: Path, tmp_path: Path) -> None:
    model = Model()
    second, first = model.input("b", (1, 3)), model.input("a", (1, 2))
    outputs = [model.tensor("z", (1, 3)), model.tensor("c", (1, 2))]
    model.add(second, second, outputs[0])
    model.add(first, first, outputs[1])
    model.outputs = outputs
    spec = "input a float32 1 2\ninput b float32 1 3\noutput c float32 1 2\noutput z float32 1 3\n"
    a, b = np.array([[1, 2]], np.float32), np.array([[3, 4, 5]], np.float32)
    got = Runner(bundle, tmp_path, model.write(), spec, a=a, b=b).outputs()
    np.testing.assert_array_equal(got["c"], 2 * a)
    np.testing.assert_array_equal(got["z"], 2 * b)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("input x float32 1 5 7 40\noutput y float32 1 5 7 51\n", "is not what io.txt says"),
        ("input x float32 1 5 7 40\noutput y int32 1 5 7 50\n", "is not what io.txt says"),
        ("input x float32 1 5 7 40\noutput w float32 1 5 7 50\n", "io.txt does not know `y`"),
    ],
)
def test_another_model_than_io_txt_says_is_refused(conv: Runner, spec: str, reason: str) -> None:
    (conv.folder / "io.txt").write_text(SPEC + spec)
    done = conv.call()
    assert done.returncode == 2
    assert reason in done.stderr


def test_what_is_no_model_is_refused(conv: Runner) -> None:
    (conv.folder / "model.tflite").write_bytes(b"TFL3 but not really")
    done = conv.call()
    assert done.returncode == 1
    assert "reading the model failed" in done.stderr
