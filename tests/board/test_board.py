"""Machines, and running and verifying bundles on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgebin.board import (
    LocalMachine,
    QemuMachine,
    check_bundle,
    machine_for,
    run_bundle,
    run_bundle_files,
    verify_bundle,
)
from edgebin.board import local as local_module
from edgebin.board.verify import VerifyReport
from edgebin.bundle import Bundle, Tolerance, npz_bytes, open_bundle, write_bundle
from edgebin.errors import BoardError, InputError, TargetMismatch, ToolchainError, VerificationError
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain import qemu as qemu_toolchain
from edgebin.toolchain.compiler import find_compiler
from tests.toolchain.tiny_module import tiny_inputs, tiny_outputs

Bundles = Callable[[str], Bundle]
on_x86 = pytest.mark.skipif(host_arch() != "x86_64", reason="about an x86 host")


def changed(bundle: Bundle, path: Path, *, files: dict[str, bytes] | None = None, **manifest: object) -> Bundle:
    """The same bundle with other contents or another manifest, sound in itself."""
    folder = bundle.extracted()
    members: dict[str, Path | bytes] = {name: folder / name for name in bundle.manifest.files}
    write_bundle(path, bundle.manifest.model_copy(update=manifest), {**members, **(files or {})})
    return open_bundle(path)


@on_x86
def test_machine_for_each_bundle(tiny_bundle: Bundles) -> None:
    assert machine_for(tiny_bundle("x86-64")) == LocalMachine()
    board = machine_for(tiny_bundle("rpi5"))
    assert board == QemuMachine(load_target("rpi5"))
    assert board.name == "QEMU (cortex-a76)"
    assert board.emulated


@pytest.mark.parametrize("target_id", ["x86-64", "rpi4b"])
def test_run(tiny_bundle: Bundles, target_id: str) -> None:
    inputs = tiny_inputs(6, seed=3)
    outputs = run_bundle(tiny_bundle(target_id), inputs, threads=2)
    for name, expected in tiny_outputs(inputs).items():
        np.testing.assert_allclose(outputs[name], expected, atol=1e-5)


def test_run_files(tiny_bundle: Bundles, tmp_path: Path) -> None:
    inputs = tiny_inputs(5)
    np.savez_compressed(tmp_path / "in.npz", **inputs)
    report = run_bundle_files(tiny_bundle("x86-64").path, tmp_path / "in.npz", tmp_path / "new" / "out.npz")
    assert report.rows == 5
    np.testing.assert_array_equal(np.load(tmp_path / "new" / "out.npz")["doubled"], inputs["counts"] * 2)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.npz"]


def test_unusable_input_leaves_nothing(tiny_bundle: Bundles, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", counts=np.zeros((1, 64), np.int32))
    with pytest.raises(InputError, match=r"in\.npz has no array `pixel_values`"):
        run_bundle_files(tiny_bundle("x86-64").path, tmp_path / "in.npz", tmp_path / "out" / "out.npz")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("target_id", ["x86-64", "rpi3b-plus"])
def test_verify(tiny_bundle: Bundles, target_id: str) -> None:
    report = verify_bundle(tiny_bundle(target_id))
    assert isinstance(report, VerifyReport)
    assert report.passed
    assert report.rows == 10
    assert 0 <= report.max_abs_diff < 1e-5
    assert report.emulated == (target_id == "rpi3b-plus" and host_arch() != "aarch64")


@pytest.mark.parametrize("target_id", ["x86-64", "rpi4b"])
def test_verify_finds_a_difference(tiny_bundle: Bundles, tmp_path: Path, target_id: str) -> None:
    outputs = tiny_outputs(tiny_inputs(10))
    outputs["doubled"][9, 63] += 1
    bundle = changed(tiny_bundle(target_id), tmp_path / "x.ebz", files={"golden/outputs.npz": npz_bytes(outputs)})
    assert not check_bundle(bundle).passed
    with pytest.raises(VerificationError, match="`doubled` differs") as caught:
        verify_bundle(bundle)
    assert caught.value.max_abs_diff == 1


def test_tolerance_is_the_manifests(tiny_bundle: Bundles, tmp_path: Path) -> None:
    outputs = tiny_outputs(tiny_inputs(10))
    outputs["logits"] += np.float32(1e-3)
    files = {"golden/outputs.npz": npz_bytes(outputs)}
    strict = changed(tiny_bundle("x86-64"), tmp_path / "strict.ebz", files=files)
    loose = changed(tiny_bundle("x86-64"), tmp_path / "loose.ebz", files=files, tolerance=Tolerance(atol=1e-2, rtol=0))
    assert not check_bundle(strict).passed
    assert check_bundle(loose).passed


@on_x86
def test_host_that_lacks_a_feature(tiny_bundle: Bundles, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tiny_bundle("x86-64")
    lacking = frozenset(bundle.manifest.features) - {"avx2"}
    monkeypatch.setattr(local_module, "host_features", lambda: lacking)
    with pytest.raises(TargetMismatch, match="needs avx2, which this host lacks") as caught:
        machine_for(bundle)
    assert caught.value.hint is not None
    assert "-t x86-64" in caught.value.hint


@on_x86
@pytest.mark.parametrize("glibc", [(2, 17), None])
def test_host_with_an_older_c_library(
    tiny_bundle: Bundles, monkeypatch: pytest.MonkeyPatch, glibc: tuple[int, int] | None
) -> None:
    monkeypatch.setattr(local_module, "host_glibc", lambda: glibc)
    with pytest.raises(TargetMismatch, match=r"needs glibc 2\.27"):
        machine_for(tiny_bundle("x86-64"))


@on_x86
def test_bundle_of_another_architecture(tiny_bundle: Bundles) -> None:
    with pytest.raises(TargetMismatch, match=r"rpi4b \(aarch64\), this host is x86_64"):
        LocalMachine().check(tiny_bundle("rpi4b").manifest)
    with pytest.raises(TargetMismatch, match="QEMU is for aarch64 only"):
        QemuMachine(load_target("rpi4b")).check(tiny_bundle("x86-64").manifest)


def test_board_that_lacks_a_feature(tiny_bundle: Bundles) -> None:
    with pytest.raises(TargetMismatch, match=r"needs .*asimddp.*, which rpi4b lacks") as caught:
        QemuMachine(load_target("rpi4b")).check(tiny_bundle("rpi5").manifest)
    assert caught.value.hint == "compile it again: `edgebin compile … -t rpi4b`"


def test_no_emulator(tiny_bundle: Bundles, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tiny_bundle("rpi4b")
    monkeypatch.setattr(qemu_toolchain.shutil, "which", lambda name: None)
    with pytest.raises(ToolchainError, match="qemu-aarch64"):
        run_bundle(bundle, tiny_inputs(1))


def test_runner_that_dies(tiny_bundle: Bundles, tmp_path: Path) -> None:
    bundle = changed(tiny_bundle("x86-64"), tmp_path / "x.ebz", files={"module.so": b"not a library"})
    with pytest.raises(BoardError, match="ended with 1 on this host"):
        run_bundle(bundle, tiny_inputs(1))


def test_instruction_that_the_board_lacks(tiny_bundle: Bundles, tmp_path: Path) -> None:
    (tmp_path / "dot.c").write_text(
        'int main(void) { __asm__ volatile(".arch_extension dotprod\\nudot v0.4s, v1.16b, v2.16b" ::: "v0"); }'
    )
    target = load_target("rpi4b")
    find_compiler(target).compile([tmp_path / "dot.c"], tmp_path / "dot")
    files = {"runner": (tmp_path / "dot").read_bytes()}
    bundle = changed(tiny_bundle("rpi4b"), tmp_path / "x.ebz", files=files)
    with pytest.raises(TargetMismatch, match=r"an instruction that QEMU \(cortex-a72\) does not know"):
        run_bundle(bundle, tiny_inputs(1))


def test_runner_that_cannot_start(tiny_bundle: Bundles, tmp_path: Path) -> None:
    bundle = changed(tiny_bundle("x86-64"), tmp_path / "x.ebz", files={"runner": b"not a program"})
    with pytest.raises(BoardError, match="cannot start"):
        run_bundle(bundle, tiny_inputs(1))
