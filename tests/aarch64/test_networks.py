"""Our files and libraries in the runtimes' own aarch64 wheels: integers as on x86, classes as PyTorch says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.backends.emulated import TFLITE_RUNTIMES, Array, Job, run_emulated
from benchmarks.backends.files import Files, lowered_for, onnx_files, tflite_files
from edgebin.targets import Target, load_target
from edgebin.toolchain.elf import elf_needs
from edgebin.toolchain.runtime import Backend
from edgebin.toolchain.userland import Userland
from tests.aarch64.conftest import Libraries
from tests.aarch64.networks import BATCH, NAMES, Network, lay_open_integers, network

ON: dict[Backend, tuple[str, ...]] = {"ort": ("onnxruntime",), "tflite": TFLITE_RUNTIMES}
QUICK = {"rpi4b": ("digits", "bhvit gsb"), "rpi5": ("digits", "binaryvit", "bivit swin")}


@pytest.mark.parametrize("target_id", ["rpi4b", "rpi5"])
def test_libraries_need_no_newer_c_library_than_boards_have(libraries: Libraries, target_id: str) -> None:
    for library in libraries(target_id).values():
        needs = elf_needs(library)
        assert (needs.arch, needs.load_alignment) == ("aarch64", 65536)
        assert needs.glibc <= (2, 27)


def files_for(
    net: Network, target: Target, backend: Backend, libraries: dict[str, Path], folder: Path
) -> tuple[Files, list[str]]:
    """A backend's files, and the names of the integer outputs."""
    folder.mkdir()
    lowered = lowered_for(net.model, target, backend, batch=BATCH)
    integers = lay_open_integers(lowered)
    if backend == "ort":
        return onnx_files(lowered, libraries["onnx"], folder), integers
    return tflite_files(lowered, libraries["tflite"], folder), integers


def on_x86(net: Network, backend: Backend, libraries: dict[str, Path], folder: Path) -> dict[str, Array]:
    """What onnxruntime computes on this machine with our library, of a model lowered for `backend`."""
    import onnxruntime

    folder.mkdir()
    lowered = lowered_for(net.model, load_target("x86-64"), backend, batch=BATCH)
    lay_open_integers(lowered)
    files = onnx_files(lowered, libraries["onnx"], folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.register_custom_ops_library(str(files.library))
    session = onnxruntime.InferenceSession(str(files.model), options)
    names = [output.name for output in session.get_outputs()]
    runs = [session.run(None, {"pixel_values": net.images[at : at + BATCH]}) for at in range(0, len(net.images), BATCH)]
    return dict(zip(names, map(np.concatenate, zip(*runs, strict=True)), strict=True))


def check(names: tuple[str, ...], target_id: str, libraries: Libraries, folder: Path, *, digits: int = 32) -> None:
    """All networks on all runtimes in one start of the emulator."""
    target = load_target(target_id)
    nets = {name: network(name, digits) for name in names}
    jobs, about = [], []
    for name, net in nets.items():
        for backend, runtimes in ON.items():
            folder_of = folder / f"{name}, {backend}"
            files, integers = files_for(net, target, backend, libraries(target_id), folder_of)
            expected = on_x86(net, backend, libraries("x86-64"), folder_of / "x86")
            for runtime in runtimes:
                jobs.append(Job(runtime, files.model, {"pixel_values": net.images}, files.library))
                about.append((f"{name}, {runtime}", net, integers, expected))
    for (what, net, integers, expected), outputs in zip(about, run_emulated(target, jobs, folder / "run"), strict=True):
        assert "error" not in outputs, f"{what}: {outputs}"
        assert integers, what
        for integer in integers:
            assert outputs[integer].tobytes() == expected[integer].tobytes(), f"{what}: {integer}"
        # The integers are equal, so rounding of the runtimes' own float operators is all that differs.
        atol = 1e-5 * net.logits.std()
        np.testing.assert_allclose(outputs["logits"], expected["logits"], rtol=0, atol=atol, err_msg=what)
        np.testing.assert_array_equal(outputs["logits"].argmax(1), net.logits.argmax(1), err_msg=what)


@pytest.mark.parametrize("target_id", QUICK)
def test_networks(arm64: Userland, libraries: Libraries, target_id: str, tmp_path: Path) -> None:
    check(QUICK[target_id], target_id, libraries, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("target_id", ["rpi4b", "rpi5"])
def test_all_networks_and_all_digits(arm64: Userland, libraries: Libraries, target_id: str, tmp_path: Path) -> None:
    check(NAMES, target_id, libraries, tmp_path, digits=450)
