"""Sampling of power on synthetic boards, on this host and on each board's processor under QEMU.

What a sampler integrates is held against what really stood in the files, by the writer's own clock readings.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebin.profile.energy.trace import PowerSource, PowerTrace
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from tests.board.agents import FakedAgent
from tests.board.power_boards import BOARDS, Board, iio_chip, pmic_answer, rpi5, text

HZ = 200
STEP_S = 0.003
LONGEST_GAP_NS = 5 * 10**9 // HZ

Start = Callable[..., "subprocess.Popen[str]"]


def constant(t_s: float) -> float:
    return 5.0


def ramp(t_s: float) -> float:
    return 3.0 + 4.0 * t_s / 1.5


def square(t_s: float) -> float:
    return 3.0 if int(t_s / 0.5) % 2 else 7.0


CURVES: dict[str, tuple[Callable[[float], float], float, float]] = {
    "constant": (constant, 0.0, 1.5),
    "ramp": (ramp, 1.5, 3.0),
    "square": (square, 3.0, 6.0),
}


@pytest.fixture(scope="module")
def start(faked_agent: FakedAgent) -> Start:
    """Starts the agent on a board's root: here for `native`, otherwise on the board's processor."""

    def run(board: Board, *arguments: str, native: bool = False) -> subprocess.Popen[str]:
        target = None if native or board.target == "x86-64" else load_target(board.target)
        return subprocess.Popen(
            faked_agent.command(*arguments, "--root", str(board.root), target=target),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=faked_agent.environment(board.mailbox or board.root),
        )

    return run


def inspect(start: Start, board: Board, *, native: bool = False) -> dict[str, Any]:
    process = start(board, "inspect", native=native)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def sources(start: Start, board: Board, *, native: bool = True) -> dict[str, dict[str, Any]]:
    return {entry["source"]: entry for entry in inspect(start, board, native=native)["power_sources"]}


def _run(start: Start, board: Board, source: str, *, native: bool = True) -> tuple[int, str, str]:
    process = start(board, "sample", "0.3", "--power", source, "--power-hz", "100", native=native)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("native", [True, False], ids=["native", "board"])
@pytest.mark.parametrize("name", BOARDS)
def test_rails_of_the_board(start: Start, tmp_path: Path, name: str, native: bool) -> None:
    board = BOARDS[name](tmp_path / "root")
    found = sources(start, board, native=native)
    assert list(found) == [board.source]
    entry = found[board.source]
    assert entry["readable"] is True
    assert entry["problem"] is None
    assert entry["trust"] == board.trust
    assert entry["settings"] == board.settings
    assert entry["reading"] == ("energy" if board.counts_energy else "power")
    assert entry["channels"] == [{"label": label, "total": label in board.totals} for label in board.labels]
    code, out, err = _run(start, board, board.source, native=native)
    assert code == 0, err
    *samples, _ = map(json.loads, out.splitlines())
    assert {tuple(sample["w"]) for sample in samples} == {tuple(round(watts, 9) for watts in board.watts)}


@dataclass(frozen=True)
class Sampled:
    board: Board
    trace: PowerTrace
    cost: Mapping[str, int]
    t_ns: np.ndarray[Any, Any]  # when the writer wrote, and what then was in the files until it wrote again
    held: np.ndarray[Any, Any]  # watts, or joules so far

    def truth_j(self, begin_ns: int, end_ns: int) -> float:
        if self.board.counts_energy:
            begin, end = np.searchsorted(self.t_ns, (begin_ns, end_ns), side="right") - 1
            return float(self.held[end] - self.held[begin])
        edges = np.concatenate(([begin_ns], self.t_ns[(self.t_ns > begin_ns) & (self.t_ns < end_ns)], [end_ns]))
        held = self.held[np.searchsorted(self.t_ns, edges[:-1], side="right") - 1]
        return float(np.sum(np.diff(edges) * held) / 1e9)

    def seen(self, begin_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """The window without the gaps in which a busy machine stopped the sampler: of those it cannot know anything.

        Of a counter it ends with samples: how the counter went on between two of them is not to be known either.
        """
        inside = self.trace.t_ns[(self.trace.t_ns > begin_ns) & (self.trace.t_ns < end_ns)].tolist()
        moments = inside if self.board.counts_energy else [begin_ns, *inside, end_ns]
        stretches = [[moments[0], moments[0]]]
        for before, after in itertools.pairwise(moments):
            if after - before <= LONGEST_GAP_NS:
                stretches[-1][1] = after
            else:
                stretches.append([after, after])
        return [(begin, end) for begin, end in stretches if end > begin]


@pytest.fixture(scope="module")
def sampled(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sampled]:
    """All boards at once, each with its own sampler, while all three curves go through all files."""
    folder = tmp_path_factory.mktemp("boards")
    return _sample({name: make(folder / name) for name, make in BOARDS.items()}, start)


def _sample(boards: Mapping[str, Board], start: Start) -> dict[str, Sampled]:
    total_s = CURVES["square"][2]
    described = {name: PowerSource.from_inspect(inspect(start, board), board.source) for name, board in boards.items()}
    running = {
        name: start(board, "sample", str(total_s + 3), "--power", board.source, "--power-hz", str(HZ))
        for name, board in boards.items()
    }
    written: dict[str, list[tuple[int, float]]] = {name: [] for name in boards}
    origin_ns = time.monotonic_ns() + 1_500_000_000
    while (t_s := (time.monotonic_ns() - origin_ns) / 1e9) < total_s + 0.5:
        curve, begin_s, _ = next((c for c in CURVES.values() if c[1] <= t_s < c[2]), (constant, 0.0, 0.0))
        watts = curve(t_s - begin_s)
        for name, board in boards.items():
            before_ns = time.monotonic_ns()
            held = board.set(watts, before_ns)
            written[name].append(((before_ns + time.monotonic_ns()) // 2, held))
        time.sleep(STEP_S)
    result = {}
    for name, process in running.items():
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        *samples, cost = out.splitlines()
        trace = PowerTrace.from_lines(described[name], samples)
        times, values = zip(*written[name], strict=True)
        # Moments of the curves: both clocks are the same, and begin where the curves do.
        result[name] = Sampled(
            boards[name],
            PowerTrace(trace.source, trace.t_ns - origin_ns, trace.watts),
            json.loads(cost),
            np.array(times) - origin_ns,
            np.array(values, dtype=float),
        )
    return result


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("name", BOARDS)
def test_energy_under_a_curve(sampled: Mapping[str, Sampled], name: str, curve: str) -> None:
    one = sampled[name]
    begin_ns, end_ns = (int(edge * 1e9) for edge in CURVES[curve][1:])
    if curve == "constant":
        begin_ns += 100_000_000  # before it the files held what they were made with
    # The writer did write the curve, as far as the machine let it.
    assert one.truth_j(begin_ns, end_ns) == pytest.approx(5.0 * (end_ns - begin_ns) / 1e9, rel=0.25)
    stretches = one.seen(begin_ns, end_ns)
    if sum(end - begin for begin, end in stretches) < (end_ns - begin_ns) / 2:
        pytest.skip("this machine is so busy that it stopped the sampler most of the time")
    truth_j = sum(one.truth_j(*stretch) for stretch in stretches)
    assert sum(one.trace.total().energy_j(*stretch) for stretch in stretches) == pytest.approx(truth_j, rel=0.01)


@pytest.mark.parametrize("name", [name for name in BOARDS if name != "x86-rapl"])
def test_every_sample_is_what_stood_in_the_file(sampled: Mapping[str, Sampled], name: str) -> None:
    one = sampled[name]
    total = one.trace.total()
    assert np.isin(np.round(total.watts[total.t_ns > 0], 6), np.round(one.held, 6)).all()


def test_what_sampling_cost(sampled: Mapping[str, Sampled]) -> None:
    for one in sampled.values():
        assert one.cost["samples"] == one.trace.t_ns.size
        assert 0 < one.cost["cpu_ns"] < one.trace.t_ns[-1] - one.trace.t_ns[0]
        assert 0 <= one.cost["late"] <= one.cost["samples"]


def test_counters_begin_again(sampled: Mapping[str, Sampled]) -> None:
    """Both packages passed the end of their range: without it a difference would be negative."""
    watts = sampled["x86-rapl"].trace.watts
    assert np.nanmin(watts) >= 0
    assert sampled["x86-rapl"].held[-1] - sampled["x86-rapl"].held[0] > 2 * 10


@pytest.mark.parametrize("name", ["nano-jp4", "x86-rapl"])
def test_samples_keep_step_with_nothing(start: Start, tmp_path: Path, name: str) -> None:
    """A load of the sampler's own period would be seen at one of its moments only: samples fall on all of them."""
    board = BOARDS[name](tmp_path / "root")
    process = start(board, "sample", "2", "--power", board.source, "--power-hz", "200", native=True)
    out, _ = process.communicate(timeout=60)
    times = np.array([json.loads(line)["t_ns"] for line in out.splitlines()[:-1]])
    period_ns = 10**9 // 200
    tenths = (times - times[0]) % period_ns * 10 // period_ns
    assert set(tenths.tolist()) == set(range(10))
    # One in each period, not more; fewer where the machine was busy.
    assert times.size <= (times[-1] - times[0]) // period_ns + 2


def test_firmware_that_parts_lines_by_nul(start: Start, tmp_path: Path) -> None:
    board = rpi5(tmp_path / "root", separator=b"\0")
    channels = sources(start, board)["pmic"]["channels"]
    assert [channel["label"] for channel in channels] == list(board.labels)


def test_whatever_rails_the_firmware_names(start: Start, tmp_path: Path) -> None:
    board = rpi5(tmp_path / "root")
    assert board.mailbox is not None
    (board.mailbox / "pmic_read_adc").write_text(
        "  NEW_RAIL_A current(0)=2.5A\n ODD_A current(1)=1A\n EXT5V_A current(3)=9A\n  EXT5V_V volt(2)=5.1V\n"
        "  NEW_RAIL_V volt(9)=1.5V\n"
    )
    assert sources(start, board)["pmic"]["channels"] == [{"label": "NEW_RAIL", "total": True}]
    _, out, _ = _run(start, board, "pmic")
    assert json.loads(out.splitlines()[0])["w"] == [3.75]


def test_a_published_answer(start: Start, tmp_path: Path) -> None:
    """Rows as the firmware prints them: two spaces in front, the unit behind."""
    board = rpi5(tmp_path / "root")
    assert board.mailbox is not None
    (board.mailbox / "pmic_read_adc").write_text(
        "  HDMI_A current(22)=-0.00125A\n  ODD_A current(9)=A\n  VDD_CORE_A current(7)=6.22421000A\n"
        "  VDD_CORE_V volt(15)=0.86173300V\n  HDMI_V volt(23)=5.00000000V\n ODD_V volt(1)=1V\n"
    )
    _, out, _ = _run(start, board, "pmic")
    assert json.loads(out.splitlines()[0])["w"] == [-0.00625, pytest.approx(6.22421 * 0.861733, rel=1e-8)]


def test_firmware_without_the_command(start: Start, tmp_path: Path) -> None:
    board = rpi5(tmp_path / "root")
    assert board.mailbox is not None
    (board.mailbox / "pmic_read_adc").unlink()
    entry = sources(start, board)["pmic"]
    assert entry["readable"] is False
    assert "does not answer `pmic_read_adc`" in entry["problem"]


def test_a_pi_5_without_the_mailbox(start: Start, tmp_path: Path) -> None:
    board = rpi5(tmp_path / "root")
    (board.root / "dev/vcio").unlink()
    entry = sources(start, board)["pmic"]
    assert entry["readable"] is False
    assert "`/dev/vcio` cannot be opened" in entry["problem"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_what_to_type_where_files_may_not_be_read(faked_agent: FakedAgent) -> None:
    folder = Path("/tmp") / f"edgebin-power-{os.getpid()}"  # pytest's own folders are closed to others
    try:
        board = BOARDS["x86-rapl"](folder / "root")
        energy = folder / "root/sys/class/powercap/intel-rapl:0/energy_uj"
        energy.chmod(0o400)
        folder.chmod(0o755)
        program = shutil.copy(faked_agent.program(host_arch()), folder / "program")
        done = subprocess.run(
            [program, "inspect", "--root", str(board.root)], capture_output=True, text=True, user=65534, check=True
        )
        (entry,) = json.loads(done.stdout)["power_sources"]
        assert entry["readable"] is False
        assert entry["problem"] == f"`{energy}` may not be read: `sudo chmod a+r '{energy}'`"
        refused = subprocess.run(
            [program, "sample", "1", "--power", "rapl", "--root", str(board.root)],
            capture_output=True,
            text=True,
            user=65534,
            check=False,
        )
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("error: the power source `rapl` cannot be read")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_source_that_is_not_there(start: Start, tmp_path: Path) -> None:
    board = BOARDS["nano-jp4"](tmp_path / "root")
    assert _run(start, board, "rapl") == (2, "", "error: this machine has no power source `rapl`\n")


def test_a_machine_without_sensors(start: Start, tmp_path: Path) -> None:
    board = BOARDS["nano-jp4"](tmp_path / "root")
    shutil.rmtree(board.root)
    board.root.mkdir()
    assert sources(start, board) == {}


def test_a_jetson_without_the_rail_of_its_input(start: Start, tmp_path: Path) -> None:
    board = BOARDS["nano-jp4"](tmp_path / "root")
    for label in board.root.rglob("rail_name_0"):
        text(label, "POM_5V_OTHER")
    entry = sources(start, board)["ina3221"]
    assert entry["readable"] is False
    assert "no rail POM_5V_IN or VDD_IN" in entry["problem"]


def test_iio_without_files_of_power_multiplies(start: Start, tmp_path: Path) -> None:
    board = BOARDS["nano-jp4"](tmp_path / "root")
    for path in board.root.rglob("in_power*"):
        path.unlink()
    _, out, _ = _run(start, board, "ina3221")
    # Currents are whole milliamperes.
    assert json.loads(out.splitlines()[0])["w"] == [2.13, 0.04, 0.72]


def test_what_cannot_be_read_later_is_null(start: Start, tmp_path: Path) -> None:
    board = BOARDS["nano-jp4"](tmp_path / "root")
    process = start(board, "sample", "1.5", "--power", "ina3221", "--power-hz", "100", native=True)
    time.sleep(0.7)
    for path in board.root.rglob("in_power2_input"):
        os.truncate(path, 0)
    out, _ = process.communicate(timeout=60)
    rows = [json.loads(line)["w"] for line in out.splitlines()[:-1]]
    assert rows[0] == [2.134, 0.04, 0.722]
    assert rows[-1] == [2.134, 0.04, None]


def test_hwmon_kinds_names_and_labels(start: Start, tmp_path: Path) -> None:
    """Two chips of one name are told apart by address; power is preferred to volts times amperes and to averages."""
    board = BOARDS["rpi4-ina219"](tmp_path / "root")
    classes = board.root / "sys/class/hwmon"
    (classes / "hwmon2/device").symlink_to("../../1-0040")
    text(classes / "hwmon3/name", "ina219")
    text(classes / "hwmon3/power1_input", "1000000")
    (classes / "hwmon3/device").symlink_to("../../1-0041")
    text(classes / "hwmon4/name", "supply")
    text(classes / "hwmon4/in1_input", "12000")
    text(classes / "hwmon4/in1_label", "rail 12V")
    text(classes / "hwmon4/curr1_input", "500")
    text(classes / "hwmon4/curr2_input", "500")  # nothing to multiply it with
    text(classes / "hwmon4/power3_input", "7")
    text(classes / "hwmon4/power3_average", "2500000")
    text(classes / "hwmon4/power4_average", "2500000")
    text(classes / "hwmon4/power4_label", "PPT")
    text(classes / "hwmon4/energy1_input", "123")
    found = sources(start, board)
    assert {name: entry["reading"] for name, entry in found.items()} == {
        "hwmon:ina219@1-0040:power1": "power",
        "hwmon:ina219@1-0041:power1": "power",
        "hwmon:supply:power3": "power",
        "hwmon:supply:PPT": "power",
        "hwmon:supply:energy1": "energy",
        "hwmon:supply:rail 12V": "power",
    }
    for name, watts in (("hwmon:supply:rail 12V", 6.0), ("hwmon:supply:PPT", 2.5), ("hwmon:ina219@1-0041:power1", 1.0)):
        _, out, _ = _run(start, board, name)
        assert json.loads(out.splitlines()[0])["w"] == [watts]


def test_a_root_with_a_pattern_in_its_name(start: Start, tmp_path: Path) -> None:
    board = BOARDS["nano-jp4"](tmp_path / "ro[o]t*")
    assert sources(start, board)["ina3221"]["readable"] is True


def test_many_chips_are_refused_not_overrun(start: Start, tmp_path: Path) -> None:
    board = BOARDS["nano-jp4"](tmp_path / "root")
    for chip in range(12):
        rails: Sequence[tuple[str, int]] = [(f"RAIL{chip}_{i}", 1) for i in range(3)]
        iio_chip(board.root / f"sys/bus/i2c/drivers/ina3221x/{chip}-0043/iio:device{chip}", rails, 5000)
    entry = sources(start, board)["ina3221"]
    assert len(entry["channels"]) == 32
    assert entry["problem"] == "it has more than 32 channels"


def test_the_answers_of_the_fake_are_the_firmware_s() -> None:
    assert pmic_answer(6224).count(b"current(") == 12
    assert pmic_answer(6224).count(b"volt(") == 14


@pytest.mark.parametrize("name", BOARDS)
def test_the_document_says_what_the_source_sees(start: Start, tmp_path: Path, name: str) -> None:
    board = BOARDS[name](tmp_path / "root")
    entry = sources(start, board)[board.source]
    shown = "hwmon:NAME:LABEL" if board.source.startswith("hwmon:") else board.source
    page = Path(__file__).parents[2] / "docs/board.md"
    assert f"| `{shown}` | {entry['trust']} | {entry['boundary']} |" in page.read_text(encoding="utf-8").splitlines()
