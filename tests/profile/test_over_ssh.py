"""The whole flow against a real sshd: deploy, measure, fetch; connections that break, boards that are not there."""

from __future__ import annotations

import csv
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgebin.board.job import Job
from edgebin.bundle import Bundle, open_bundle
from edgebin.errors import BoardError, ConnectionLost, InputError, TargetMismatch
from edgebin.profile import Options, RunRecord, profile_bundles, resume_profile
from edgebin.profile.baselines.programs import onnxruntime_library
from edgebin.profile.measure.events import Round, read_events
from edgebin.profile.measure.pending import PENDING_NAME
from edgebin.profile.quantities import MeasuredEnergy, MeasuredLatency
from edgebin.report import report_markdown
from edgebin.targets import load_target
from edgebin.toolchain.elf import elf_needs, parse_glibc
from tests.board.power_boards import text
from tests.board.sshd import Sshd, program_of
from tests.board.trees import userland
from tests.profile.twin_file import write_twin
from tests.road import edgebin, succeed

Bundles = Callable[[str], Bundle]
QUICK: dict[str, Any] = {"min_runs": 5, "min_seconds": 0.0, "warmup_seconds": 0.0, "pin": False}


@pytest.fixture(scope="session")
def twin_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_twin(tmp_path_factory.mktemp("twin") / "twin.onnx")


def this_machine_with_a_sensor(root: Path, watts: float, *, glibc: str = "2.36") -> Path:
    """A tree like this host, which has a sensor that always says the same."""
    text(root / "proc/cpuinfo", Path("/proc/cpuinfo").read_text())
    text(root / "proc/loadavg", "0.00 0.00 0.00 1/100 4567")
    userland(root, "x86_64", glibc)
    text(root / "sys/class/hwmon/hwmon0/name", "ina219")
    text(root / "sys/class/hwmon/hwmon0/power1_input", str(round(watts * 1e6)))
    return root


def left_there(board: Sshd) -> list[str]:
    """Jobs on the board, and processes of the agent or of what it started."""
    jobs = [path.name for path in (board.board_folder / "jobs").glob("*")]
    return jobs + [program_of(int(p.name)) for p in Path("/proc").iterdir() if p.name.isdigit() and _is_ours(p, board)]


def _is_ours(process: Path, board: Sshd) -> bool:
    try:
        return (process / "exe").readlink().is_relative_to(board.board_folder)
    except OSError:
        return False


def test_all_there_is_to_a_board(board: Sshd, tiny_bundle: Bundles, twin_file: Path, tmp_path: Path) -> None:
    root = this_machine_with_a_sensor(tmp_path / "root", watts=2.5)
    told: list[str] = []
    energy = {"energy": "hwmon:ina219:power1", "idle_seconds": 0.3, "energy_windows": 2, "energy_seconds": 0.3}
    quick = {**QUICK, "baselines": ("fp32",), "baseline_model": twin_file}
    options = Options(threads=(1, 2), root=str(root), **energy, **quick)
    bundle = tiny_bundle("x86-64").path
    record = profile_bundles([bundle], options, host="board", save=tmp_path / "run", say=told.append)
    assert record.device.host == "board"
    assert [(v.name, v.threads) for v in record.variants] == [
        (name, threads) for threads in (1, 2) for name in ("binary", "fp32")
    ]
    for variant in record.variants:
        assert isinstance(variant.latency, MeasuredLatency)
        assert isinstance(variant.energy, MeasuredEnergy)
        assert variant.energy.mean_w == pytest.approx(2.5, rel=1e-3)
        assert variant.energy.dynamic_j_per_inference == pytest.approx(0, abs=1e-6)
    assert record.power is not None
    assert record.power.idle_before_w == pytest.approx(2.5, rel=1e-3)
    assert {layer.bundle for layer in record.layers} == {"binary", "fp32"}
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        *("events.jsonl", "latency.csv", "layers.csv", "power.jsonl", "run.json", "subject.json")
    ]
    assert RunRecord.read(tmp_path / "run") == record
    assert "J" in report_markdown(record)
    assert left_there(board) == []
    assert any(line.startswith("copied ") and not line.startswith("copied 0 ") for line in told)

    told.clear()
    profile_bundles([bundle], Options(energy="off", **quick), host="board", say=told.append)
    assert "copied 0 bytes to board" in told


def cutting(board: Sshd, folder: Path, *, after: int) -> threading.Thread:
    """Breaks all connections once so many lines of events are here."""

    def cut() -> None:
        events = folder / "events.jsonl"
        for _ in range(6000):
            if events.exists() and events.read_bytes().count(b"\n") >= after:
                board.cut()
                return
            time.sleep(0.01)

    thread = threading.Thread(target=cut)
    thread.start()
    return thread


def rounds_are_complete(folder: Path, record: RunRecord) -> None:
    """Each round of each variant is there once, and the record has the samples of all."""
    rounds = [event for event in read_events(folder / "events.jsonl") if isinstance(event, Round)]
    numbers = sorted((event.contender, event.round) for event in rounds)
    count = len(numbers) // len(record.variants)
    assert numbers == [(c, r) for c in range(len(record.variants)) for r in range(count)]
    with (folder / "latency.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == sum(len(event.samples_ns) for event in rounds)


def test_a_connection_that_breaks_loses_and_doubles_nothing(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    told: list[str] = []
    options = Options(baselines=(), energy="off", **{**QUICK, "min_seconds": 2.0})
    cutter = cutting(board, tmp_path / "run", after=8)
    record = profile_bundles(
        [tiny_bundle("x86-64").path], options, host="board", save=tmp_path / "run", say=told.append
    )
    cutter.join()
    assert any("trying again" in line for line in told), "the connection never broke"
    rounds_are_complete(tmp_path / "run", record)
    assert left_there(board) == []


def test_another_process_picks_up_what_was_lost_sight_of(
    board: Sshd, tiny_bundle: Bundles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(baselines=(), energy="off", **{**QUICK, "min_seconds": 2.0})
    cutter = cutting(board, tmp_path / "run", after=8)
    with monkeypatch.context() as away:
        away.setattr(Job, "patience_seconds", 0.0)
        away.setattr("edgebin.profile.measure.measurement.Job", _impatient)
        with pytest.raises(ConnectionLost) as caught:
            profile_bundles([tiny_bundle("x86-64").path], options, host="board", save=tmp_path / "run")
    cutter.join()
    assert f"edgebin profile --resume {tmp_path / 'run'}" in str(caught.value.hint)
    assert json.loads((tmp_path / "run" / PENDING_NAME).read_text())["host"] == "board"
    with pytest.raises(InputError, match="cannot read"):
        RunRecord.read(tmp_path / "run")
    kept = (tmp_path / "run/events.jsonl").read_bytes()
    record = resume_profile(tmp_path / "run")
    assert (tmp_path / "run/events.jsonl").read_bytes().startswith(kept[: kept.rfind(b"\n") + 1])
    rounds_are_complete(tmp_path / "run", record)
    assert not (tmp_path / "run" / PENDING_NAME).exists()
    assert left_there(board) == []
    with pytest.raises(InputError, match="nothing to resume"):
        resume_profile(tmp_path / "run")


def _impatient(*words: Any) -> Job:
    return Job(*words, patience_seconds=0.0)


def test_ctrl_c_leaves_nothing(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    def interrupt(text: str) -> None:
        if text.startswith("timing"):
            raise KeyboardInterrupt

    options = Options(baselines=(), energy="off", **{**QUICK, "min_seconds": 60.0})
    with pytest.raises(KeyboardInterrupt):
        profile_bundles([tiny_bundle("x86-64").path], options, host="board", save=tmp_path / "run", say=interrupt)
    assert left_there(board) == []
    assert list(tmp_path.iterdir()) == []


def test_a_hostile_name_is_a_name(board: Sshd, tiny_bundle: Bundles, twin_file: Path, tmp_path: Path) -> None:
    hostile = "$(touch owned);'\"` touch owned`&|.ebz"
    shutil.copy(tiny_bundle("x86-64").path, tmp_path / hostile)
    shutil.copy(twin_file, tmp_path / "-rf $(touch owned).onnx")
    options = Options(baselines=("fp32",), baseline_model=tmp_path / "-rf $(touch owned).onnx", energy="off", **QUICK)
    record = profile_bundles([tmp_path / hostile], options, host="board")
    assert record.bundles[0].name == hostile
    assert [variant.name for variant in record.variants] == ["binary", "fp32"]
    for folder in (board.home, tmp_path, Path.cwd(), board.board_folder):
        assert not list(folder.glob("*owned"))


@pytest.mark.slow
def test_the_trained_network_on_a_board(board: Sshd, tmp_path: Path) -> None:
    """From its checkpoint to its report, with the commands that a user types."""
    checkpoint = Path(__file__).parents[2] / "examples/digits/checkpoints/digits-binary.safetensors"
    succeed("export", checkpoint, "-o", tmp_path / "digits")
    succeed("compile", tmp_path / "digits", "-t", "x86-64", "-o", tmp_path / "digits.ebz")
    words = ("profile", tmp_path / "digits.ebz", "--host", "board", "-T", "1,2", "--baseline", "fp32")
    result = edgebin(*words, "--min-seconds", "0.5", "--save", tmp_path / "run")
    assert result.exit_code in (0, 7), result.stderr
    record = RunRecord.read(tmp_path / "run")
    assert [(v.name, v.threads) for v in record.variants] == [
        (name, threads) for threads in (1, 2) for name in ("binary", "fp32")
    ]
    assert {layer.bundle for layer in record.layers} == {"binary", "fp32"}
    assert record.no_energy is not None or all(variant.energy for variant in record.variants)
    succeed("report", tmp_path / "run", "-o", tmp_path / "report.html")
    again = edgebin(*words, "--min-seconds", "0", "--save", tmp_path / "again")
    assert "copied 0 bytes to board" in again.stderr


@pytest.mark.slow
def test_a_board_that_is_too_old_for_onnxruntime(board: Sshd, compiled: Callable[[str], Path], tmp_path: Path) -> None:
    """TVM's module of the twin stands in for it, and tells its layers too."""
    oldest = open_bundle(compiled("tvm")).manifest.glibc
    if parse_glibc(oldest) >= elf_needs(onnxruntime_library(load_target("x86-64"))).glibc:
        pytest.skip(f"the bundle needs glibc {oldest}, as new as onnxruntime's")
    root = this_machine_with_a_sensor(tmp_path / "root", watts=1.0, glibc=oldest)
    options = Options(root=str(root), energy="off", **QUICK)
    record = profile_bundles([compiled("tvm")], options, host="board")
    assert [variant.name for variant in record.variants] == ["binary", "fp32"]
    assert ", TVM " in record.variants[1].engine
    assert {layer.bundle for layer in record.layers} == {"binary", "fp32"}
    assert record.notes[0].startswith("onnxruntime needs glibc 2.")


def test_one_job_at_a_time(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    options = Options(baselines=(), energy="off", **{**QUICK, "min_seconds": 60.0})
    second: list[BaseException] = []

    def disturb(text: str) -> None:
        if text.startswith("timing") and not second:
            with pytest.raises(BoardError, match="busy") as caught:
                profile_bundles([tiny_bundle("x86-64").path], options, host="board", save=tmp_path / "second")
            second.append(caught.value)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile_bundles([tiny_bundle("x86-64").path], options, host="board", save=tmp_path / "first", say=disturb)
    assert second
    assert left_there(board) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "target", "changes", "error"),
    [
        ("nowhere", "x86-64", {}, BoardError),
        ("board", "rpi4b", {}, TargetMismatch),
        ("board", "x86-64", {"energy": "hwmon:no:such"}, InputError),
        ("board", "x86-64", {"baselines": ("tflite",)}, InputError),
        ("-oProxyCommand=touch owned", "x86-64", {}, InputError),
    ],
)
def test_what_cannot_be_leaves_no_folder(
    board: Sshd, tiny_bundle: Bundles, tmp_path: Path, host: str, target: str, changes: dict[str, Any], error: type
) -> None:
    options = Options(**{"baselines": (), "energy": "off", **QUICK, **changes})
    with pytest.raises(error) as caught:
        profile_bundles([tiny_bundle(target).path], options, host=host, save=tmp_path / "run")
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []
    assert left_there(board) == []


def test_a_record_is_never_lost_to_what_happens_after_it(
    board: Sshd, tiny_bundle: Bundles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(job: Job) -> None:
        raise ConnectionLost("gone")

    told: list[str] = []
    monkeypatch.setattr(Job, "remove", gone)
    options = Options(baselines=(), energy="off", **QUICK)
    record = profile_bundles(
        [tiny_bundle("x86-64").path], options, host="board", save=tmp_path / "run", say=told.append
    )
    assert RunRecord.read(tmp_path / "run") == record
    assert not (tmp_path / "run" / PENDING_NAME).exists()
    assert "stay on board" in told[-1]


def test_losing_the_board_after_its_last_event_loses_no_samples(
    board: Sshd, tiny_bundle: Bundles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(job: Job, to: Path) -> None:
        raise ConnectionLost("gone")

    root = this_machine_with_a_sensor(tmp_path / "root", watts=2.0)
    energy = {"energy": "hwmon:ina219:power1", "idle_seconds": 0.2, "energy_windows": 1, "energy_seconds": 0.3}
    options = Options(baselines=(), root=str(root), **energy, **QUICK)
    with monkeypatch.context() as away:
        away.setattr(Job, "fetch_power", gone)
        with pytest.raises(ConnectionLost):
            profile_bundles([tiny_bundle("x86-64").path], options, host="board", save=tmp_path / "run")
    record = resume_profile(tmp_path / "run")
    assert isinstance(record.variants[0].energy, MeasuredEnergy)
    assert left_there(board) == []
