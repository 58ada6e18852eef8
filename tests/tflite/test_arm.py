"""The delegate for boards, in the aarch64 wheels of both runtimes and in the runner, under the emulator: every case of
the other tests gives the bits that it gives here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.backends.emulated import TFLITE_RUNTIMES, Job, run_emulated
from edgebin.backends.tflite.build import build_library
from edgebin.errors import ToolchainError
from edgebin.targets import load_target
from edgebin.tflite import interpreter
from edgebin.toolchain.compiler import zig_compiler
from edgebin.toolchain.qemu import qemu_command
from edgebin.toolchain.runner import build_runner
from edgebin.toolchain.runtime import runtime_libraries
from edgebin.toolchain.userland import Userland, userland
from tests.kernels.test_dispatch import reference
from tests.tflite import test_edgebin_op, test_lce_conv
from tests.tflite.conftest import Array
from tests.tflite.lce import SAME, Conv, Values, conv_model

pytest.importorskip("tflite_runtime")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emulated() -> Userland:
    try:
        return userland()
    except ToolchainError as error:
        pytest.skip(f"{error.message}: {error.hint}")


def here(model: bytes, inputs: dict[str, Array], library: Path) -> dict[str, Array]:
    made = interpreter(model, "tflite_runtime", library=library)
    for detail in made.get_input_details():
        made.set_tensor(detail["index"], inputs[detail["name"]])
    made.invoke()
    return {detail["name"]: made.get_tensor(detail["index"]) for detail in made.get_output_details()}


def models() -> dict[str, tuple[bytes, dict[str, Array]]]:
    """Every model of the other tests with its inputs."""
    found = {}
    for parameters in test_lce_conv.VARIATIONS:
        [case] = parameters.values
        values = Values.of(case)
        found[str(parameters.id)] = conv_model(case, values), {"x": values.x}
    for name, case in test_edgebin_op.CASES.items():
        model, inputs = test_edgebin_op.node(case, reference(case))
        found[name] = model, dict(zip(test_edgebin_op.input_names(case), inputs, strict=True))
    return found


@pytest.mark.parametrize("board", ["rpi4b", "rpi5"])
def test_boards_compute_the_same_bits(emulated: Userland, library: Path, tmp_path: Path, board: str) -> None:
    target = load_target(board)
    plugin = build_library(target, zig_compiler(target), tmp_path / "libedgebin_tflite.so")
    jobs, wanted = [], []
    for number, (name, (model, inputs)) in enumerate(models().items()):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(model)
        for runtime in TFLITE_RUNTIMES:
            jobs.append(Job(runtime, path, inputs, plugin))
            wanted.append((f"{name}, {runtime}", here(model, inputs, library)))
    for got, (name, want) in zip(run_emulated(target, jobs, tmp_path / "run"), wanted, strict=True):
        assert set(got) == set(want), f"{name}: {got.get('error')}"
        for output in want:
            np.testing.assert_array_equal(got[output], want[output], err_msg=name)


def test_the_runner_has_litert_on_a_board(emulated: Userland, library: Path, tmp_path: Path) -> None:
    target = load_target("rpi4b")
    compiler = zig_compiler(target)
    try:
        libraries = runtime_libraries(target, "tflite")
    except ToolchainError as error:
        pytest.skip(f"{error.message}: {error.hint}")
    case = Conv(40, 50, kernel=(3, 3), padding=SAME)
    values = Values.of(case)
    build_runner(target, compiler, libraries, tmp_path / "runner", "tflite")
    build_library(target, compiler, tmp_path / "libedgebin_tflite.so")
    (tmp_path / "lib").mkdir()
    for path in libraries.paths:
        shutil.copy(path, tmp_path / "lib" / path.name)
    (tmp_path / "model.tflite").write_bytes(conv_model(case, values))
    spec = "edgebin-io 1\nbatch 1\ntolerance 1e-05 0.0001\ninput x float32 1 5 7 40\noutput y float32 1 5 7 50\n"
    (tmp_path / "io.txt").write_text(spec)
    np.savez(tmp_path / "in.npz", x=values.x)
    arguments = [
        tmp_path / "runner",
        "--input",
        tmp_path / "in.npz",
        "--output",
        tmp_path / "out.npz",
        "--threads",
        "2",
    ]
    done = subprocess.run(
        qemu_command(target, arguments, base=emulated.root), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out.npz") as got:
        np.testing.assert_array_equal(got["y"], here(conv_model(case, values), {"x": values.x}, library)["y"])
