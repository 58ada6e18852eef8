"""Reading run folders: what is there is read, what is damaged is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgebin.errors import InputError
from edgebin.report import Failed, read_run, read_runs
from tests.report.builder import (
    IDLE_S,
    IDLE_W,
    WATTS,
    WINDOW_S,
    WINDOWS,
    estimated_record,
    measured_record,
    write_run,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", measured_record((1, 2)), rounds=3)


def test_a_folder_is_read_as_it_was_written(folder: Path) -> None:
    run = read_run(folder)
    assert run.record == measured_record((1, 2))
    assert {(t.variant, t.threads) for t in run.timings} == {(v.name, v.threads) for v in run.record.variants}
    assert all([len(block) for block in t.rounds] == [8, 8, 8] for t in run.timings)


def test_the_trace_has_windows_idle_stretches_and_the_total_of_the_right_channels(folder: Path) -> None:
    (trace,) = read_run(folder).traces
    assert trace.threads == 1
    windows = [stretch for stretch in trace.stretches if stretch.variant is not None]
    idles = [stretch for stretch in trace.stretches if stretch.variant is None]
    assert (len(windows), len(idles)) == (WINDOWS * 3, 2)
    assert all(s.end_s - s.begin_s == pytest.approx(WINDOW_S) for s in windows)
    assert (idles[0].begin_s, idles[0].end_s) == (0.0, IDLE_S)
    for stretch in trace.stretches:
        watts = [w for t, w in trace.samples if stretch.begin_s < t < stretch.end_s]
        expected = IDLE_W if stretch.variant is None else WATTS[stretch.variant]
        assert sum(watts) / len(watts) == pytest.approx(expected, abs=0.05)


def test_readings_of_an_external_meter_are_a_trace(folder: Path) -> None:
    record = json.loads((folder / "run.json").read_text())
    record["power"]["source"] = "meter"
    (folder / "run.json").write_text(json.dumps(record))
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    (folder / "power.jsonl").write_text(
        "".join(
            json.dumps({"t_ns": event["begin_ns"] + 1, "w": [3.5]}) + "\n" for event in events if "begin_ns" in event
        )
    )
    assert {w for _, w in read_run(folder).traces[0].samples} == {3.5}


def test_a_line_that_was_being_written_is_left_out(folder: Path) -> None:
    whole = read_run(folder).traces
    for name in ("events.jsonl", "power.jsonl"):
        with (folder / name).open("a") as stream:
            stream.write('{"t_ns": 12')
    assert read_run(folder).traces == whole


def test_run_json_alone_is_a_run(folder: Path) -> None:
    run = read_run(folder / "run.json")
    assert (run.timings, run.traces) == ((), ())


def test_estimates_have_no_timings(tmp_path: Path) -> None:
    assert read_run(write_run(tmp_path / "run", estimated_record())).timings == ()


def test_a_table_without_threads_is_of_the_first_number(folder: Path) -> None:
    (folder / "latency.csv").write_text("variant,kind,round,latency_ms\nbinary,measured,0,1.5\n")
    (timings,) = read_run(folder).timings
    assert (timings.threads, timings.rounds) == (1, ((1.5,),))


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return apply


def remove(*names: str) -> Callable[[Path], None]:
    return lambda folder: [(folder / name).unlink() for name in names]  # type: ignore[func-returns-value]


def in_progress(folder: Path) -> None:
    remove("run.json")(folder)
    (folder / "job.json").write_text("{}")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no record": (remove("run.json"), "it has no run.json"),
    "in progress": (in_progress, "has not ended"),
    "old schema": (edit("run.json", '"schema_version": 3', '"schema_version": 2'), "run record of schema version 2"),
    "not JSON": (edit("run.json", "{", ""), "is not JSON"),
    "not a record": (edit("run.json", '"variants"', '"variance"'), "variants: Field required"),
    "no number": (edit("run.json", '"p50_ms": 24.6', '"p50_ms": NaN'), "NaN is not a number"),
    "no finite number": (edit("run.json", '"p50_ms": 24.6', '"p50_ms": 1e999'), "1e999 is not a number"),
    "no time": (edit("run.json", '"p50_ms": 24.6', '"p50_ms": 0'), "greater than 0"),
    "a list": (lambda folder: (folder / "run.json").write_text("[]"), "is not a run record"),
    "no column": (edit("latency.csv", "latency_ms", "latency"), "line 2: no column 'latency_ms'"),
    "no latency": (edit("latency.csv", "measured,0,", "measured,0,x"), "line 2: could not convert"),
    "negative": (edit("latency.csv", "measured,0,", "measured,0,-"), "is not a latency"),
    "no text": (lambda folder: (folder / "latency.csv").write_bytes(b"\xff\xfe"), "latency.csv` is damaged"),
    "no event": (edit("events.jsonl", '{"event": "session"', '["event": "session"'), "events.jsonl`, line 2"),
    "no window": (edit("events.jsonl", '"contender": 0, "runs"', '"contended": 0, "runs"'), "events.jsonl` is damaged"),
    "no sample": (edit("power.jsonl", '"w"', '"v"'), "power.jsonl` is damaged: line 1"),
    "a channel less": (edit("power.jsonl", ", 1.0]", "]"), "do not have its 3 channels"),
}


@pytest.mark.parametrize(("damage", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_damaged_is_named(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(InputError) as raised:
        read_run(folder)
    assert message in raised.value.message
    assert str(folder) in raised.value.message


def test_no_run_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run at"):
        read_run(tmp_path / "nothing")


def fleet(folder: Path, *boards: dict[str, object]) -> Path:
    common = {"host": "h", "status": "ok", "exit_code": 0}
    folder.mkdir(exist_ok=True)
    (folder / "fleet.json").write_text(json.dumps({"boards": [{**common, **board} for board in boards]}))
    return folder


def test_a_fleet_is_the_runs_of_its_boards(tmp_path: Path) -> None:
    record = measured_record()
    write_run(tmp_path / "fleet" / "pi5", record, rounds=1)
    (tmp_path / "fleet" / "lost").mkdir()
    lost = {"name": "lost", "run": "lost", "status": "failed", "error": "the connection broke"}
    runs, failed = read_runs([fleet(tmp_path / "fleet", {"name": "pi5", "run": "pi5"}, lost)])
    assert [run.record for run in runs] == [record]
    assert failed == (Failed("lost", "the connection broke"),)


def test_a_fleet_has_no_runs_elsewhere(tmp_path: Path) -> None:
    write_run(tmp_path / "secret", measured_record(), rounds=1)
    with pytest.raises(InputError, match="no board has a run"):
        read_runs([fleet(tmp_path / "fleet", {"name": "x", "run": "../secret"})])


def test_a_damaged_fleet_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fleet\.json` is damaged"):
        read_runs([fleet(tmp_path / "fleet", {"name": 5, "run": None})])
