"""Runners of the other backends understand the same command line, and their engines let their layers be seen."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebin.bundle import Bundle, open_bundle, read_npz

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 and runs the result")

INPUT = ("--input", "golden/inputs.npz")
OWN_WORK = {"ort": "(onnxruntime)", "tflite": "(LiteRT)", "tflite fp32": "(LiteRT)"}
TITLES = list(OWN_WORK)
QUICK = ("--min-runs", "4", "--min-seconds", "0", "--warmup-seconds", "0")


@pytest.fixture(params=TITLES)
def title(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bundle(compiled: Callable[[str], Path], title: str) -> Bundle:
    return open_bundle(compiled(title))


def call(bundle: Bundle, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    folder = bundle.extracted()
    return subprocess.run(
        [folder / "runner", *words], cwd=folder, capture_output=True, text=True, check=False, **options
    )


def answer(bundle: Bundle, *words: str) -> dict[str, Any]:
    done = call(bundle, *words)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_bench(bundle: Bundle) -> None:
    found = answer(bundle, *INPUT, "--bench", *QUICK)
    assert len(found["samples_ns"]) == 4
    assert min(found["first_ns"], *found["samples_ns"]) > 0


def test_serve(bundle: Bundle) -> None:
    done = call(bundle, *INPUT, "--serve", input="run 3\nrun 1\n")
    assert done.returncode == 0, done.stderr
    _, *answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(found["samples_ns"]) for found in answers] == [3, 1]
    assert call(bundle, *INPUT, "--serve", input="walk 3\n").returncode == 2


def test_any_number_of_rows_and_threads(bundle: Bundle, tmp_path: Path) -> None:
    images = np.random.default_rng(0).standard_normal((3, 3, 16, 16), dtype=np.float32)
    np.savez(tmp_path / "in.npz", pixel_values=images)
    results = {}
    for threads in ("1", "2"):
        output = tmp_path / f"{threads}.npz"
        words = ("--input", str(tmp_path / "in.npz"), "--output", str(output), "--threads", threads)
        found = answer(bundle, *words)
        assert (found["rows"], found["threads"]) == (3, int(threads))
        results[threads] = read_npz(output)["logits"]
    assert results["1"].shape == (3, 10)
    np.testing.assert_allclose(results["1"], results["2"], rtol=1e-5, atol=1e-5)


def test_one_thread_is_one_thread(bundle: Bundle) -> None:
    assert answer(bundle, *INPUT, "--bench", *QUICK)["process_threads"] == 1


def test_per_op_lists_our_nodes_and_the_rest(bundle: Bundle, title: str) -> None:
    found = answer(bundle, *INPUT, "--per-op", "--min-runs", "5")
    assert found["functions_runs"] == 5
    functions = {function["name"]: function for function in found["functions"]}
    assert OWN_WORK[title] in functions
    for operation in bundle.manifest.operations:
        assert functions[operation.function]["calls"] == 5
    assert all(function["self_ns"] >= 0 for function in functions.values())


def test_onnxruntimes_own_nodes_are_listed_and_nothing_is_left_behind(
    compiled: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    bundle = open_bundle(compiled("ort"))
    names = {function["name"] for function in answer(bundle, *INPUT, "--per-op")["functions"]}
    ours = {operation.function for operation in bundle.manifest.operations}
    assert names - ours - {"(onnxruntime)"}
    assert list(tmp_path.iterdir()) == []


def test_marks_follow_the_functions(compiled: Callable[[str], Path]) -> None:
    """The counter knows functions by their place in this list."""
    for title in ("ort", "tflite"):
        bundle = open_bundle(compiled(title))
        found = answer(bundle, *INPUT, "--bench", "--mark", *QUICK)
        names = [function["name"] for function in found["functions"]]
        assert len(names) == len(set(names))
        assert set(names) == {operation.function for operation in bundle.manifest.operations}


def test_layers_are_sampled(compiled: Callable[[str], Path]) -> None:
    for title in ("ort", "tflite"):
        bundle = open_bundle(compiled(title))
        found = answer(bundle, *INPUT, "--layers")["layers"]
        assert sorted(layer["function"] for layer in found) == sorted(
            operation.function for operation in bundle.manifest.operations
        )
        assert all(layer["values"] for layer in found)


def test_a_model_that_is_none(bundle: Bundle) -> None:
    done = call(bundle, *INPUT, "--model", "golden/inputs.npz")
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("error: ") or "error: " in done.stderr
    assert done.stdout == ""


def test_a_runtime_that_is_missing(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    bundle.extract(folder)
    for library in (folder / "lib").iterdir():
        library.unlink()
    done = subprocess.run([folder / "runner", *INPUT], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "lib/lib" in done.stderr
