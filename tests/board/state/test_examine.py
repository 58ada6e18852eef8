"""What `doctor` makes of boards: synthetic ones on their processors under QEMU, and one behind a real sshd."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from edgebin.board.state.examine import Examination, examine_board
from edgebin.board.store.agent import place_agent
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.ssh import SshTransport
from edgebin.board.transports.transport import Finished
from edgebin.bundle import Manifest
from edgebin.errors import BoardError, TargetMismatch
from edgebin.targets import Target, load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain.doctor import Check
from tests.board.sshd import Sshd
from tests.board.state.test_preflight import manifest
from tests.board.trees import TREES, text

Examine = Callable[..., Examination]


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    """Examines a tree on the processor of its board."""
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("no qemu-aarch64 on this machine")

    def run(name: str, wanted: Manifest | Target | None = None) -> Examination:
        tree = TREES[name](tmp_path / name)
        return examine_board(QemuTransport(load_target(tree.target)), wanted, root=PurePosixPath(tree.root))

    return run


def named(found: Examination) -> dict[str, Check]:
    return {check.name: check for check in found.checks}


def test_a_board_that_is_ready(examine: Examine) -> None:
    checks = named(examine("orin-nano-jp6", load_target("jetson-orin-nano")))
    assert [check.name for check in checks.values() if not check.ok] == []
    assert checks["machine"].found == "NVIDIA Jetson Orin Nano Developer Kit, aarch64"
    assert checks["target"].found == "NVIDIA Jetson Orin Nano (-t jetson-orin-nano)"
    assert checks["processor"].found == "6 x Arm Cortex-A78AE, up to 1.51 GHz"
    assert checks["userland"].found == "64-bit, glibc 2.35"
    assert checks["memory"].found == "6.7 GB of 8.0 GB free"
    assert checks["throttling"].found is not None
    assert checks["throttling"].found.endswith("oc2 12 times, oc3 3 times")
    assert checks["power mode"].found == "nvpmodel 0 (15W)"
    assert checks["firmware"].found == "L4T 36.3.0"
    assert str(checks["power ina3221"].found).endswith("(trust B)")


def test_programs_of_32_bits(examine: Examine) -> None:
    checks = named(examine("zero2w-32-bit"))
    userland = checks["userland"]
    assert userland.found == "32-bit, no glibc for its kernel"
    assert userland.required
    assert "64-bit system" in userland.fix


def test_a_hot_board_that_holds_itself_back(examine: Examine) -> None:
    checks = named(examine("pi3b-plus", load_target("rpi3b-plus")))
    assert checks["throttling"].problem == "the firmware says: soft temperature limit"
    assert checks["temperature"].found == "cpu-thermal 61 °C"
    assert checks["governor"].problem == "the governor is `ondemand`"
    assert not checks["power"].ok, "no sensor: energy cannot be measured"
    assert "external meter" in checks["power"].fix
    assert not any(check.required for check in checks.values() if not check.ok)


def test_the_wrong_board_for_a_bundle(examine: Examine) -> None:
    checks = named(examine("pi4-ina219", manifest("rpi5")))
    assert "asimddp" in str(checks["processor"].problem)
    assert "-t rpi4b" in checks["processor"].fix
    assert checks["other work"].found == "unknown", "a recorded board has no now"
    assert checks["power hwmon:ina219:power1"].ok


def test_kind_and_state_are_told_apart(examine: Examine) -> None:
    wrong = examine("pi4-ina219", load_target("rpi5"))
    assert (wrong.wrong_kind, wrong.broken, wrong.target) == (True, True, "rpi4b")
    hot = examine("pi3b-plus", load_target("rpi3b-plus"))
    assert (hot.wrong_kind, hot.broken) == (False, False)


def test_settings_that_a_killed_job_left_come_with_the_command(examine: Examine, tmp_path: Path) -> None:
    way = QemuTransport(load_target("rpi5"))
    record = text(Path(way.folder / "jobs/abc/tuning"), "governor policy0\tondemand\tperformance")
    try:
        check = named(examine("pi5"))["left settings"]
        assert check.found == "of job abc, which was killed"
        assert check.fix == way.command_line([str(place_agent(way)), "restore", str(way.folder / "jobs/abc")])
    finally:
        shutil.rmtree(record.parent)


def test_over_ssh(board: Sshd) -> None:
    way = SshTransport("board")
    try:
        found = examine_board(way)
    finally:
        way.close()
    assert found.board is not None
    assert found.board.machine == host_arch()
    assert found.board.disk_free_bytes is not None
    assert not found.wrong_kind
    assert not found.broken


class Odd(QemuTransport):
    """A machine that answers as it is told."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.name = "odd"

    def run(self, command: object, **_: object) -> Finished:
        return Finished(0, self.answer.encode(), "")


def test_a_machine_without_the_tools_that_copying_takes() -> None:
    found = examine_board(Odd("sha256sum\ntar\n"))
    (check,) = found.checks
    assert (check.found, check.fix, check.required) == (None, "install sha256sum, tar there", True)
    assert (found.broken, found.wrong_kind, found.board) == (True, False, None)


def test_an_agent_is_not_placed_on_a_machine_that_cannot_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgebin.board.store.agent.QemuTransport", type(None))
    with pytest.raises(TargetMismatch, match="odd is armv7l"):
        place_agent(Odd("armv7l\n"))
    with pytest.raises(TargetMismatch, match="odd is no Linux machine"):
        place_agent(Odd(""))


def test_a_board_that_is_not_there(board: Sshd) -> None:
    way = SshTransport(board.nowhere)
    try:
        with pytest.raises(BoardError):
            examine_board(way)
    finally:
        way.close()
