"""The baseline must be onnxruntime's own result: a wrong table slot or a wrong file would compare with nonsense."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgebin.profile.baselines.baseline import Baseline, prepare
from edgebin.profile.baselines.programs import baseline_runner, onnxruntime_library
from edgebin.profile.baselines.twin import open_twin
from edgebin.profile.measure.layers import FunctionTimes, layers_of
from edgebin.targets import Target, load_target
from edgebin.toolchain.qemu import find_qemu, qemu_command
from edgebin.toolchain.runtime import fetch_onnxruntime_aarch64
from tests.profile.twin_file import write_twin

BATCH = 3


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> list[Baseline]:
    folder = tmp_path_factory.mktemp("baselines")
    return prepare(("fp32", "int8"), open_twin(write_twin(folder / "twin.onnx")), folder, batch=BATCH)


def run(baseline: Baseline, target: Target, output: Path, emulate: bool) -> np.ndarray:  # type: ignore[type-arg]
    command = baseline.command(target, threads=1, arguments=["--mark", "1", "--output", str(output)])
    subprocess.run(qemu_command(target, command) if emulate else command, check=True)
    return np.fromfile(output, np.float32).reshape(BATCH, -1)


def expected(baseline: Baseline) -> np.ndarray:  # type: ignore[type-arg]
    import onnxruntime

    session = onnxruntime.InferenceSession(baseline.twin.path)
    images = np.fromfile(baseline.input_file, np.float32).reshape(baseline.twin.input_shape)
    result: np.ndarray = session.run(None, {baseline.twin.input_name: images})[0]  # type: ignore[type-arg]
    return result


@pytest.mark.parametrize("index", [0, 1, 2])
def test_runner_gives_what_onnxruntime_gives(baselines: list[Baseline], index: int, tmp_path: Path) -> None:
    baseline = baselines[index]
    actual = run(baseline, load_target("x86-64"), tmp_path / "out.bin", emulate=False)
    np.testing.assert_array_equal(actual, expected(baseline))


def test_emulated_runner_gives_what_onnxruntime_gives(baselines: list[Baseline], tmp_path: Path) -> None:
    find_qemu()
    fetch_onnxruntime_aarch64()
    actual = run(baselines[0], load_target("rpi5"), tmp_path / "out.bin", emulate=True)
    np.testing.assert_allclose(actual, expected(baselines[0]), rtol=1e-5, atol=1e-5)


def test_int8_differs_from_fp32_by_little(baselines: list[Baseline]) -> None:
    fp32, *int8 = (expected(baseline) for baseline in baselines)
    for result in int8:
        assert 0 < np.abs(result - fp32).max() < 0.1 * np.abs(fp32).max()


def test_serving_answers_with_as_many_timings_as_asked(baselines: list[Baseline]) -> None:
    command = baselines[0].command(load_target("x86-64"), threads=1, arguments=["--serve"])
    done = subprocess.run(command, input="run 3\nrun 1\n", capture_output=True, text=True, check=True)
    hello, first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert hello["load_ns"] > 0
    assert (len(first["samples_ns"]), len(second["samples_ns"])) == (3, 1)
    assert sum(first["samples_ns"]) <= first["end_ns"] - first["begin_ns"]
    assert first["end_ns"] <= second["begin_ns"]


@pytest.mark.parametrize("damage", ["model", "input", "library", "request"])
def test_runner_names_what_it_cannot_use(baselines: list[Baseline], damage: str, tmp_path: Path) -> None:
    target = load_target("x86-64")
    command = list(baselines[0].command(target, threads=1, arguments=["--serve"]))
    bad = tmp_path / "bad"
    bad.write_bytes(b"bad")
    if damage != "request":
        command[{"library": 1, "model": 2, "input": 4}[damage]] = str(bad)
    done = subprocess.run(command, input="walk\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("ort_runner: ")


def test_nodes_tell_what_they_take(baselines: list[Baseline]) -> None:
    command = baselines[0].layers(load_target("x86-64"), threads=1).command
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = FunctionTimes.model_validate_json(done.stdout)
    layers = layers_of(report, "fp32", baselines[0].operations())
    assert sum(layer.share for layer in layers) == pytest.approx(1)
    kinds = {operation.kind for operation in baselines[0].operations()}
    assert {layer.op for layer in layers if layer.op} <= kinds
    assert any(layer.op for layer in layers), "the profiler's nodes are not those of the graph"
    assert {layer.calls for layer in layers if layer.name != "(onnxruntime)"} == {1}


def test_programs_are_built_once() -> None:
    target = load_target("x86-64")
    first = baseline_runner(target)
    modified = first.stat().st_mtime_ns
    assert baseline_runner(target) == first
    assert first.stat().st_mtime_ns == modified
    assert onnxruntime_library(target).is_file()
