"""A record from events alone: each figure must be of the contender, the session and the round it is said to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgebin.bundle.manifest import Operation
from edgebin.errors import BoardError
from edgebin.profile.measure.events import read_events
from edgebin.profile.measure.from_events import record_from_events
from edgebin.profile.measure.subject import SUBJECT_NAME, Side, Subject, read_subject, subject_bytes
from edgebin.profile.quantities import MeasuredLatency
from edgebin.profile.record import Artefact, Device, Protocol, RunRecord
from tests.profile.job_events import Job

OURS, FP32 = Side("binary", "edgebin 0", 100), Side("fp32", "onnxruntime 1", 900)
DYNAMIC, STATIC = (Side("int8", "onnxruntime 1", 300, how) for how in ("dynamic quantisation", "static quantisation"))


def subject(*sessions: tuple[Side, ...], threads: tuple[int, ...] = (1,)) -> Subject:
    return Subject(
        edgebin_version="0",
        created_utc="2026-01-01T00:00:00+00:00",
        bundles=(Artefact("net.ebz", "0" * 64, 100),),
        device=Device("rpi4b", "Raspberry Pi 4B", "Cortex-A72", 1_500_000_000, host="kitchen"),
        protocol=Protocol(threads, 2, 0.0, 0.0, 0, True),
        sessions=sessions,
        operations={"binary": (Operation(function="dense", kind="linear", nodes=("fc",)),)},
        notes=("a note",),
        no_energy="no sensor",
    )


def record(job: Job, about: Subject, tmp_path: Path) -> RunRecord:
    return record_from_events(about, read_events(job.write(tmp_path / "events")), tmp_path / "power")


def test_every_figure_is_of_its_contender(tmp_path: Path) -> None:
    job = Job()
    job.session(0, 1, ["binary", "fp32"], {0: [[10, 11], [10, 12]], 1: [[40, 40], [40, 44]]})
    output = {"functions_runs": 2, "functions": [{"name": "dense", "calls": 4, "self_ns": 2_000_000}], "more": 1}
    job.add("output", name="layers of binary", exit=0, stdout=json.dumps(output), stderr="")
    job.add("output", name="layers of fp32", exit=1, stdout="", stderr="no memory\n")
    job.end()
    found = record(job, subject((OURS, FP32)), tmp_path)
    binary, fp32 = found.variants
    assert (binary.name, binary.load_ms, binary.first_ms, binary.peak_rss_bytes) == ("binary", 5.0, 9.0, 1000)
    assert binary.cpus == (3,)
    assert isinstance(binary.latency, MeasuredLatency)
    assert (binary.latency.runs, binary.latency.p50_ms, binary.latency.min_ms) == (4, 10.5, 10.0)
    assert binary.latency.p50_ci95_ms == (10.5, 11.0)
    assert binary.speedup is not None
    assert binary.speedup.of_medians == pytest.approx(40 / 10.5)
    assert fp32.speedup is not None
    assert fp32.speedup.of_medians == 1.0
    assert found.protocol.rounds == 2
    (layer,) = found.layers
    assert (layer.op, layer.nodes, layer.latency_ms, layer.calls, layer.bundle) == ("linear", ("fc",), 1.0, 2, "binary")
    assert found.notes == ("a note", "no layers of fp32: the runner ended with 1, no memory")
    assert found.no_energy == "no sensor"
    assert found.device.system == "Linux, kernel 6.6, 4 processors"
    assert found.environment is not None
    assert found.environment.before["model"] == "A board"


def test_of_several_with_a_name_the_chosen_one_tells_of_the_others(tmp_path: Path) -> None:
    job = Job()
    job.session(0, 1, ["binary", "int8", "int8"], {0: [[10]], 2: [[5]]})
    chosen = next(index for index, event in enumerate(job.events) if event["event"] == "chosen")
    trials = [("trial", 1, [6_000_000, 9_000_000]), ("trial", 2, [4_000_000, 9_000_000])]
    job.events[chosen:chosen] = [
        {"event": event, "session": 0, "contender": contender, "samples_ns": samples}
        for event, contender, samples in trials
    ]
    job.end()
    found = record(job, subject((OURS, DYNAMIC, STATIC)), tmp_path)
    assert [variant.name for variant in found.variants] == ["binary", "int8"]
    assert found.variants[1].note == "static quantisation; slower in a trial: dynamic quantisation, 1.50×"


def test_what_refuses_the_model_is_told_of(tmp_path: Path) -> None:
    job = Job()
    job.session(0, 1, ["binary", "int8", "int8"], {0: [[10]], 2: [[5]]})
    job.events = [event for event in job.events if event.get("contender") != 1]
    failed = {"session": 0, "contender": 1, "name": "int8", "exit": 1, "message": "no such op"}
    job.events.insert(2, {"event": "failed", **failed})
    job.end()
    found = record(job, subject((OURS, DYNAMIC, STATIC)), tmp_path)
    assert found.variants[1].note == "static quantisation; it refuses the model dynamic quantisation"


def test_speedups_are_against_the_reference_with_as_many_threads(tmp_path: Path) -> None:
    job = Job()
    job.session(0, 1, ["binary", "fp32"], {0: [[10], [10]], 1: [[40], [40]]})
    job.session(1, 2, ["binary", "fp32"], {0: [[6], [6]], 1: [[20], [20]]})
    job.end()
    found = record(job, subject((OURS, FP32), (OURS, FP32), threads=(1, 2)), tmp_path)
    speedups = {(v.name, v.threads): v.speedup.of_medians for v in found.variants if v.speedup}
    assert speedups == {("binary", 1): 4.0, ("fp32", 1): 1.0, ("binary", 2): pytest.approx(20 / 6), ("fp32", 2): 1.0}


def test_warm_up_that_did_not_settle_is_a_note(tmp_path: Path) -> None:
    job = Job()
    job.session(0, 1, ["binary"], {0: [[10]]})
    job.events = [{**e, "settled": False} if e["event"] == "warmup" else e for e in job.events]
    job.end()
    notes = record(job, subject((OURS,)), tmp_path).notes
    assert notes[1:] == ("binary had not settled after 2 s of warm-up",)


@pytest.mark.parametrize("lost", ["end", "round", "session", "first", "begin"])
def test_a_job_without_its_end_is_no_record(tmp_path: Path, lost: str) -> None:
    job = Job()
    job.session(0, 1, ["binary"], {0: [[10]]})
    job.end()
    job.events = [event for event in job.events if event["event"] != lost]
    with pytest.raises(BoardError, match="ended before"):
        record(job, subject((OURS,)), tmp_path)


def test_the_agents_error_is_the_message(tmp_path: Path) -> None:
    job = Job()
    job.add("error", message="`fp32` no such op")
    with pytest.raises(BoardError, match="no such op"):
        record(job, subject((OURS,)), tmp_path)


def test_events_of_another_plan_are_refused(tmp_path: Path) -> None:
    job = Job()
    job.session(0, 1, ["fp32"], {0: [[10]]})
    job.end()
    with pytest.raises(BoardError, match="another measurement"):
        record(job, subject((OURS,)), tmp_path)


def test_the_subject_survives_its_file(tmp_path: Path) -> None:
    about = subject((OURS, FP32))
    (tmp_path / SUBJECT_NAME).write_bytes(subject_bytes(about))
    assert read_subject(tmp_path) == about
