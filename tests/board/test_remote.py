"""Bundles on another machine over a real sshd."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgebin.board import LocalMachine, QemuMachine, RemoteMachine, check_bundle, machine_at, run_bundle, verify_bundle
from edgebin.board.transports.reach import reach
from edgebin.board.transports.ssh import SshTransport
from edgebin.bundle import Bundle, npz_bytes
from edgebin.cli import app
from edgebin.errors import BoardError, InputError, TargetMismatch, VerificationError
from edgebin.targets.host import host_arch
from tests.board.sshd import Sshd
from tests.board.test_board import changed
from tests.toolchain.tiny_module import tiny_inputs, tiny_outputs

Bundles = Callable[[str], Bundle]
pytestmark = pytest.mark.skipif(host_arch() != "x86_64", reason="takes this host for the board, an x86-64 one")


@pytest.fixture
def machine(board: Sshd) -> Iterator[RemoteMachine]:
    transport = SshTransport(board.host)
    yield RemoteMachine(transport)
    transport.close()


def left_behind(board: Sshd) -> list[str]:
    """What lies in edgebin's folder apart from what was deployed."""
    deployed = ("objects", "bundles", "agent")
    return sorted(path.name for path in board.board_folder.iterdir() if path.name.split("-")[0] not in deployed)


def test_run(machine: RemoteMachine, board: Sshd, tiny_bundle: Bundles) -> None:
    inputs = tiny_inputs(6, seed=3)
    outputs = run_bundle(tiny_bundle("x86-64"), inputs, machine=machine, threads=2)
    for name, expected in tiny_outputs(inputs).items():
        np.testing.assert_allclose(outputs[name], expected, atol=1e-5)
    assert machine.copied_bytes > 0
    assert left_behind(board) == []


def test_verify(machine: RemoteMachine, board: Sshd, tiny_bundle: Bundles) -> None:
    report = verify_bundle(tiny_bundle("x86-64"), machine=machine)
    assert (report.passed, report.rows, report.machine, report.emulated) == (True, 10, "board", False)
    assert left_behind(board) == []


def test_verify_finds_a_difference(machine: RemoteMachine, tiny_bundle: Bundles, tmp_path: Path) -> None:
    outputs = tiny_outputs(tiny_inputs(10))
    outputs["doubled"][9, 63] += 1
    bundle = changed(tiny_bundle("x86-64"), tmp_path / "x.ebz", files={"golden/outputs.npz": npz_bytes(outputs)})
    assert not check_bundle(bundle, machine=machine).passed
    with pytest.raises(VerificationError, match=r"`doubled` differs .* on board"):
        verify_bundle(bundle, machine=machine)


def test_a_runner_that_dies_leaves_nothing(
    machine: RemoteMachine, board: Sshd, tiny_bundle: Bundles, tmp_path: Path
) -> None:
    bundle = changed(tiny_bundle("x86-64"), tmp_path / "x.ebz", files={"module.so": b"not a library"})
    with pytest.raises(BoardError, match="ended with 1 on board"):
        run_bundle(bundle, tiny_inputs(1), machine=machine)
    assert left_behind(board) == []


@pytest.mark.parametrize("text", ["not a program", "#!/bin/sh\nkill -ILL $$\n"])
def test_a_runner_that_cannot_run(
    machine: RemoteMachine, board: Sshd, tiny_bundle: Bundles, tmp_path: Path, text: str
) -> None:
    bundle = changed(tiny_bundle("x86-64"), tmp_path / "x.ebz", files={"runner": text.encode()})
    with pytest.raises((BoardError, TargetMismatch), match=r"cannot run|an instruction that board does not know"):
        run_bundle(bundle, tiny_inputs(1), machine=machine)
    assert left_behind(board) == []


def test_a_bundle_for_another_machine_is_not_copied(machine: RemoteMachine, board: Sshd, tiny_bundle: Bundles) -> None:
    with pytest.raises(TargetMismatch, match=r"board cannot run it: .* rpi4b \(aarch64\), this machine is x86_64"):
        machine.check(tiny_bundle("rpi4b").manifest)
    manifest = tiny_bundle("x86-64").manifest
    with pytest.raises(TargetMismatch, match="which has sorcery; this machine has not"):
        machine.check(manifest.model_copy(update={"features": (*manifest.features, "sorcery")}))
    with pytest.raises(TargetMismatch, match=r"glibc 9\.99 is needed, there is glibc 2"):
        machine.check(manifest.model_copy(update={"glibc": "9.99"}))
    machine.check(manifest)
    assert not (board.board_folder / "bundles").exists()


def test_files_of_any_name(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    name = "-rf $(touch mark); 'quote\" `touch mark`\n é 漢"
    (tmp_path / name).mkdir()
    bundle = tmp_path / name / f"{name}.ebz"
    shutil.copy(tiny_bundle("x86-64").path, bundle)
    np.savez(tmp_path / "in.npz", **tiny_inputs(3))
    source = (tmp_path / "in.npz").rename(tmp_path / name / f"{name}.npz")
    words = ["run", "--host", board.host, "--input", str(source), "--output", str(tmp_path / "out" / name), str(bundle)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.rglob("mark")) == []
    np.testing.assert_array_equal(np.load(tmp_path / "out" / name)["doubled"], tiny_inputs(3)["counts"] * 2)
    assert left_behind(board) == []


def test_the_machine_of_a_name(board: Sshd, tiny_bundle: Bundles) -> None:
    bundle = tiny_bundle("x86-64")
    with machine_at(None, bundle) as machine:
        assert machine == LocalMachine()
    with machine_at("local", bundle) as machine:
        assert machine == LocalMachine()
    with machine_at(board.host, bundle) as machine:
        assert (machine.name, machine.emulated) == ("board", False)
    with machine_at("qemu:rpi5", tiny_bundle("rpi5")) as machine:
        assert isinstance(machine, QemuMachine)
    with pytest.raises(TargetMismatch), machine_at("qemu:rpi5", bundle):
        pass
    with pytest.raises(InputError, match="no target named `nothing`"):
        reach("qemu:nothing")


def test_verify_on_a_board_says_what_it_copied(board: Sshd, tiny_bundle: Bundles) -> None:
    words = ["verify", str(tiny_bundle("x86-64").path), "--host", board.host]
    first, second = (CliRunner().invoke(app, words) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "copied    5.9 MB" in first.stdout
    assert "copied    0 bytes" in second.stdout
    assert "on board" in second.stdout
    assert second.stdout.endswith("tiny.ebz --host board\n")
    as_json = CliRunner().invoke(app, [*words, "--json"])
    assert json.loads(as_json.stdout)["machine"] == "board"
