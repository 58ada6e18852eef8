"""What the agent says of synthetic boards, on each board's processor under QEMU and on this host."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgebin.board.state.inspect import Board, OverCurrent, Temperature, parse_board
from edgebin.board.state.recognise import fitting_targets, recognise
from edgebin.errors import BoardError
from edgebin.targets import load_target
from edgebin.targets.host import host_arch, host_features, host_glibc
from edgebin.toolchain.agent import agent_program
from tests.board.agents import FakedAgent
from tests.board.trees import A76_FEATURES, TREES, Tree, pi4, pi5, text, userland, x86_vm

Inspect = Callable[..., Board]


@pytest.fixture(scope="module")
def inspect(faked_agent: FakedAgent) -> Inspect:
    """Asks about a tree: on the board's processor, or here with `native`."""

    def ask(tree: Tree, *, native: bool = False) -> Board:
        target = None if native else load_target(tree.target)
        done = subprocess.run(
            faked_agent.command("inspect", "--root", str(tree.root), target=target),
            capture_output=True,
            env=faked_agent.environment(tree.mailbox or tree.root),
            check=True,
        )
        return parse_board(done.stdout)

    return ask


@pytest.fixture(scope="module")
def boards(inspect: Inspect, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Board]:
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("no qemu-aarch64 on this machine")
    folder = tmp_path_factory.mktemp("trees")
    return {name: inspect(build(folder / name)) for name, build in TREES.items() if _is_readable(name)}


def _is_readable(name: str) -> bool:
    return name != "x86-vm" or host_arch() == "x86_64"


@pytest.mark.parametrize("name", [name for name in TREES if _is_readable(name)])
def test_every_board_is_recognised(boards: dict[str, Board], name: str, tmp_path: Path) -> None:
    expected = TREES[name](tmp_path / name).target
    assert recognise(boards[name]) == expected
    assert fitting_targets(boards[name])[0] == expected


def test_a_pi_5_in_full(boards: dict[str, Board]) -> None:
    board = boards["pi5"]
    assert board.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert (board.machine, board.kernel) == ("aarch64", "6.6.31+rpt-rpi-2712")
    assert board.os == "Debian GNU/Linux 12 (bookworm)"
    assert (board.userland_bits, board.glibc) == (64, "2.36"), "without its banner: the newest symbols"
    assert board.features == tuple(A76_FEATURES.split())
    assert [cpu.cpu for cpu in board.cpus] == [0, 1, 2, 3]
    cpu = board.cpus[3]
    assert (cpu.implementer, cpu.part, cpu.governor) == (0x41, 0xD0B, "ondemand")
    assert (cpu.max_hz, cpu.current_hz) == (2_400_000_000, 1_200_000_000)
    assert (board.memory_total_bytes, board.memory_available_bytes) == (8053 << 20, 7100 << 20)
    assert board.disk_free_bytes is not None
    assert board.disk_free_bytes > 0
    assert (board.load_1min, board.busy_processors) == (0.07, None), "a recorded board has no now"
    assert board.temperatures == (Temperature(name="cpu-thermal", celsius=49.05),)
    assert board.throttled is not None
    assert (board.throttled.source, board.throttled.now, board.throttled.ever) == ("firmware", 0, 1)
    assert board.firmware == "Mar 17 2023 10:50:39, version 82f0f5e64ad5 (clean) (release) (start)"
    assert board.user in ("root", "board")
    assert "own" in board.groups or os.getegid() == 0
    assert "video" not in board.groups
    assert [source.source for source in board.power_sources] == ["pmic"]
    assert (board.nvpmodel, board.over_current, board.left_tuning) == (None, (), ())


def test_a_pi_without_its_mailbox(boards: dict[str, Board]) -> None:
    throttled = boards["pi3b-plus"].throttled
    assert throttled is not None
    assert (throttled.source, throttled.bits) == ("kernel", 0x80008)
    assert (throttled.now, throttled.ever) == (8, 8)
    assert boards["pi3b-plus"].firmware is None


def test_programs_of_32_bits_under_a_kernel_of_64(boards: dict[str, Board]) -> None:
    board = boards["zero2w-32-bit"]
    assert (board.machine, board.userland_bits, board.glibc) == ("aarch64", 32, None)


def test_a_jetson_with_cores_switched_off(boards: dict[str, Board]) -> None:
    board = boards["nano-jp4"]
    assert [cpu.cpu for cpu in board.cpus] == [0, 1]
    assert board.firmware == "L4T 32.7.6"
    assert board.nvpmodel is not None
    assert (board.nvpmodel.mode, board.nvpmodel.name) == (1, "5W")
    assert board.glibc == "2.27", "not 2.26, the newest symbols"


def test_a_mode_without_a_name_and_a_zone_that_is_switched_off(boards: dict[str, Board]) -> None:
    board = boards["xavier-nx-jp5"]
    assert board.nvpmodel is not None
    assert (board.nvpmodel.mode, board.nvpmodel.name) == (2, None)
    assert [temperature.name for temperature in board.temperatures] == ["CPU-therm"]
    assert len(board.cpus) == 6


def test_over_current_alarms(boards: dict[str, Board]) -> None:
    assert boards["orin-nano-jp6"].over_current == tuple(
        OverCurrent(name=f"oc{number}", count=count) for number, count in enumerate((0, 12, 3), 1)
    )


def test_the_agent_has_the_emulated_processors_capabilities(inspect: Inspect, tmp_path: Path) -> None:
    """Without a file of the board's, /proc/cpuinfo is this host's: it must not pass for the board's."""
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("no qemu-aarch64 on this machine")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").symlink_to("/proc/cpuinfo")
    dot, without = (set(inspect(Tree(tmp_path, target)).features) for target in ("rpi5", "rpi4b"))
    assert "asimddp" in dot
    assert "asimddp" not in without
    assert {"fp", "asimd"} <= without
    assert set(load_target("rpi5").features) <= dot


@pytest.mark.skipif(host_arch() != "x86_64", reason="this host is no x86-64")
def test_an_x86_virtual_machine(inspect: Inspect, tmp_path: Path) -> None:
    board = inspect(x86_vm(tmp_path), native=True)
    assert board.model == "AMD EPYC 7763 64-Core Processor"
    assert (board.userland_bits, board.glibc) == (64, "2.36")
    assert [cpu.governor for cpu in board.cpus] == [None, None]
    assert not board.tuning.governor_writable
    assert (board.temperatures, board.throttled, board.power_sources) == ((), None, ())


@pytest.mark.skipif(host_arch() != "x86_64", reason="this host is no x86-64")
def test_other_work_is_seen_while_it_is_done() -> None:
    """On all processors this process may use; a container may see more of them."""
    count = len(os.sched_getaffinity(0))
    work = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(0.2)  # they start
        said = subprocess.run([agent_program("x86_64"), "inspect"], capture_output=True, text=True, check=True)
    finally:
        for process in work:
            process.kill()
            process.wait()
    board = parse_board(said.stdout)
    assert board.busy_processors is not None
    assert 0.8 * count <= board.busy_processors <= len(board.cpus) + 0.01


def test_nothing_is_known_of_an_empty_root(inspect: Inspect, tmp_path: Path) -> None:
    board = inspect(Tree(tmp_path, "x86-64"), native=True)
    assert board.model is board.os is board.userland_bits is board.glibc is board.load_1min is None
    assert (board.cpus, board.features, board.groups) == ((), (), ())
    assert recognise(board.model_copy(update={"machine": "aarch64"})) is None


def test_only_a_library_for_the_agents_own_kind_counts(inspect: Inspect, tmp_path: Path) -> None:
    other = "aarch64" if host_arch() == "x86_64" else "x86_64"
    userland(tmp_path, other, "2.36")
    assert inspect(Tree(tmp_path, "x86-64"), native=True).glibc is None


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02" + b"\xff" * 300, b"GNU C Library release"])
def test_a_damaged_library_is_none(inspect: Inspect, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / f"lib/{host_arch()}-linux-gnu/libc.so.6"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert inspect(Tree(tmp_path, "x86-64"), native=True).glibc is None


def test_odd_files_do_no_harm(inspect: Inspect, tmp_path: Path) -> None:
    tree = pi4(tmp_path)
    text(tmp_path / "proc/loadavg", "")
    text(tmp_path / "sys/class/thermal/thermal_zone0/temp", "hot")
    text(tmp_path / "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "-")
    text(tmp_path / "proc/cpuinfo", "processor : 99999999\nFeatures : " + "word " * 5000 + "\nprocessor : -1\n: :")
    (tmp_path / "proc/device-tree/model").write_bytes(b"\xff\xfe \x01 board")
    (tmp_path / "mailbox/get_throttled").write_bytes(b"throttled=nothing")
    board = inspect(tree, native=True)
    assert board.temperatures == ()
    assert board.throttled is None
    assert "\ufffd" in str(board.model)


def test_job_records_that_nobody_holds(faked_agent: FakedAgent, tmp_path: Path) -> None:
    """The agent's folder is where it lies itself; a keeper holds its record as long as it lives."""
    agent = tmp_path / "agent"
    shutil.copy2(faked_agent.program(host_arch()), agent)
    for job in ("held", "left"):
        text(tmp_path / f"jobs/{job}/tuning", "governor policy0\tondemand\tperformance")
    with (tmp_path / "jobs/held/tuning").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = subprocess.run([agent, "inspect"], capture_output=True, check=True).stdout
    assert parse_board(said).left_tuning == ("left",)


def test_this_host_is_known(faked_agent: FakedAgent) -> None:
    board = parse_board(subprocess.run(faked_agent.command("inspect"), capture_output=True, check=True).stdout)
    assert board.machine == host_arch()
    assert set(board.features) == host_features()
    assert len(board.cpus) == os.cpu_count()
    glibc = host_glibc()
    assert board.glibc == (f"{glibc[0]}.{glibc[1]}" if glibc else None)
    assert board.page_bytes == os.sysconf("SC_PAGE_SIZE")


def test_answers_of_another_agent_are_refused(inspect: Inspect, tmp_path: Path) -> None:
    answer = json.loads(inspect(pi5(tmp_path), native=True).model_dump_json())
    assert parse_board(answer).model == "Raspberry Pi 5 Model B Rev 1.0"
    for changed in (answer | {"more": 1}, {k: v for k, v in answer.items() if k != "os"}, answer | {"hwcap": "7"}):
        with pytest.raises(BoardError, match="makes no sense") as caught:
            parse_board(changed)
        assert caught.value.hint is not None
    with pytest.raises(BoardError):
        parse_board(b'{"model": ')
