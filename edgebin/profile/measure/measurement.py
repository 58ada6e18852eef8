"""The measurement of bundles and baselines on one machine: made ready, started, followed and brought home."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import edgebin
from edgebin.board.job import Job, new_job_id
from edgebin.board.state.inspect import Board, inspect_board
from edgebin.board.state.preflight import preflight, require
from edgebin.board.transports.hosts import LOCAL
from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.transport import Transport
from edgebin.errors import BoardError, ConnectionLost, EdgebinError, InputError
from edgebin.profile.baselines.baseline import check_baselines
from edgebin.profile.baselines.contender import Contender, Named
from edgebin.profile.baselines.opponents import Opponents, prepare_opponents
from edgebin.profile.energy.consumption import why_no_estimate
from edgebin.profile.energy.meter import add_meter_log
from edgebin.profile.energy.source import PowerChoice, choose_power
from edgebin.profile.measure.events import parse_event, read_events
from edgebin.profile.measure.from_events import record_from_events
from edgebin.profile.measure.narration import Narration
from edgebin.profile.measure.pending import PENDING_NAME, Pending, pending_bytes, read_pending
from edgebin.profile.measure.placing import Places, place, place_agent
from edgebin.profile.measure.plan import Plan, Program, Session
from edgebin.profile.measure.processors import check_cpus, choose_cpus
from edgebin.profile.measure.subject import SUBJECT_NAME, Side, Subject, artefacts, now_utc, read_subject, subject_bytes
from edgebin.profile.measure.timings import timings_of
from edgebin.profile.options import CSV_PREFIX, Options
from edgebin.profile.record import Device, Protocol, RunRecord
from edgebin.profile.run_folder import (
    EVENTS_NAME,
    POWER_NAME,
    add_files,
    check_new,
    new_run_folder,
    record_files,
)

Say = Callable[[str], None]

# onnxruntime uploads usage data unless this is set.
_ENVIRONMENT = (("ORT_DISABLE_TELEMETRY", "1"),)


@dataclass(frozen=True)
class Prepared:
    """All that is decided before anything runs."""

    plan: Plan
    subject: Subject


def measure(
    ours: Sequence[Named],
    options: Options,
    way: Transport,
    *,
    host: str,
    address: str | None = None,
    save: Path,
    say: Say = lambda _: None,
    started: Callable[[Job], None] = lambda _: None,
) -> RunRecord:
    """Measures on the machine at the end of `way`, and writes the run folder `save`.

    A lost connection leaves the folder with a `job.json`; everything else that fails, Ctrl-C too, leaves neither a
    folder nor a job. `started` gets the job as soon as it runs. `host` is what the record calls the machine, `address`
    what `edgebin.board.transports.reach` knows it as, if that is something else.

    Raises:
        InputError: an unusable option, or a baseline that is not for this machine.
        TargetMismatch: a bundle is not for this machine.
        BoardError: the machine cannot be reached, is busy, or a program died there.
        ConnectionLost: the job runs on; `resume` picks it up.
    """
    check_new(save)
    job, prepared = make_ready(ours, options, way, host=host, say=say)
    bundles = tuple(side.bundle.sha256 for side in ours)
    pending = Pending(address or host, job.id_, str(job.agent), options.energy, bundles)
    new_run_folder(save, {SUBJECT_NAME: subject_bytes(prepared.subject), PENDING_NAME: pending_bytes(pending)})
    with _bringing_home(job, save):
        job.start(prepared.plan.text())
        started(job)
        record = _bring_home(job, save, say)
    return _with_meter(record, save, options.energy, say)


def make_ready(
    ours: Sequence[Named], options: Options, way: Transport, *, host: str, say: Say = lambda _: None
) -> tuple[Job, Prepared]:
    """Looks at the machine, decides, and copies there what is needed; nothing is started yet.

    Raises:
        As `measure`.
    """
    check_baselines(options.baselines)
    agent = place_agent(way)
    board = inspect_board(way, agent, root=_root(options.root))
    for side in ours:
        findings = preflight(board, side.bundle.manifest)
        require(findings, name=way.name)
        for finding in findings:
            say(f"{finding.message}: {finding.hint}")
    power = choose_power(options, board)
    with tempfile.TemporaryDirectory(prefix="edgebin-") as scratch:
        say("making the baselines")
        opponents = prepare_opponents(
            ours,
            options.baselines,
            options.baseline_model,
            Path(scratch),
            threads=options.threads,
            board=board,
            hosted=_is_here(way),
        )
        prepared, copied = prepare(ours, opponents, options, board, power, way, host=host)
    say(f"copied {copied} bytes to {way.name}")
    return Job(way, agent, new_job_id()), prepared


def look_at(way: Transport, root: str | None = None) -> Board:
    """What the machine is.

    Raises:
        ConnectionLost, BoardError: it cannot be reached.
    """
    return inspect_board(way, place_agent(way), root=_root(root))


def _is_here(way: Transport) -> bool:
    return isinstance(way, LocalTransport) and not way.emulated


def _root(root: str | None) -> PurePosixPath | None:
    return None if root is None else PurePosixPath(root)


def resume(folder: Path, way: Transport, *, say: Say = lambda _: None) -> RunRecord:
    """Goes on with a measurement that was lost sight of; what was fetched already is kept.

    Raises:
        InputError: no such measurement.
        BoardError, ConnectionLost: as `measure`.
    """
    pending = read_pending(folder)
    job = Job(way, PurePosixPath(pending.agent), pending.job)
    with _bringing_home(job, folder):
        record = _bring_home(job, folder, say)
    return _with_meter(record, folder, pending.energy, say)


def prepare(
    ours: Sequence[Named],
    opponents: Opponents,
    options: Options,
    board: Board,
    power: PowerChoice,
    way: Transport,
    *,
    host: str,
) -> tuple[Prepared, int]:
    """The plan, with everything in its place, and what the record needs to know; also how many bytes were copied.

    Raises:
        InputError: more threads than processors.
        ToolchainError: a baseline's library has not been fetched.
    """
    target = ours[0].bundle.manifest.target
    allowed = os.sched_getaffinity(0) if _is_here(way) else None
    bundles = (*ours, *opponents.bundles)
    sessions = []
    for threads in options.threads:
        cores = choose_cpus(threads, board, target.core, allowed) if options.pin is True else None
        if isinstance(options.pin, tuple):
            cores = check_cpus(options.pin, board, allowed)
        contenders = [side.contender(threads) for side in bundles]
        contenders += [baseline.contender(target, threads) for baseline in opponents.onnxruntime]
        sessions.append((threads, cores, [*contenders, *opponents.hosted.get(threads, ())]))
    threads, cores, contenders = sessions[0]
    telling = [side.layers(threads, cores) for side in bundles]
    telling += [baseline.layers(target, threads) for baseline in opponents.onnxruntime if baseline.name == "fp32"]
    everybody = [*(contender for _, _, several in sessions for contender in several), *telling]
    places, copied = place(way, everybody, [side.bundle for side in bundles])
    plan = Plan(
        sessions=tuple(
            Session(threads, cores, tuple(_program(contender, places) for contender in contenders))
            for threads, cores, contenders in sessions
        ),
        commands=tuple(_program(one, places) for one in telling),
        warmup_seconds=options.warmup_seconds,
        min_runs=options.min_runs,
        min_seconds=options.min_seconds,
        power=power.source,
        power_hz=power.hz,
        idle_seconds=options.idle_seconds if power.windows else 0.0,
        energy_windows=options.energy_windows,
        energy_seconds=options.energy_seconds,
        tune=options.tune,
        root=options.root,
    )
    subject = Subject(
        edgebin_version=edgebin.__version__,
        created_utc=now_utc(),
        bundles=artefacts(ours),
        device=Device(target.id, target.name, target.core.name, target.freq_hz, host=None if host == LOCAL else host),
        protocol=Protocol(options.threads, options.min_runs, options.min_seconds, options.warmup_seconds, 0, True),
        sessions=tuple(
            tuple(Side(one.name, one.engine, one.file_bytes, one.how) for one in contenders)
            for _, _, contenders in sessions
        ),
        operations={
            **{baseline.name: baseline.operations() for baseline in opponents.onnxruntime if baseline.name == "fp32"},
            **{side.name: side.bundle.manifest.operations for side in bundles},
        },
        notes=opponents.notes,
        power_source=power.source,
        power_hz=power.hz,
        no_energy=power.no_energy,
        emulated=way.emulated,
        published=target if power.estimable and why_no_estimate(target) is None else None,
    )
    return Prepared(plan, subject), copied


def _program(contender: Contender, places: Places) -> Program:
    return Program(contender.name, places.command(contender.command), _ENVIRONMENT)


def _bring_home(job: Job, folder: Path, say: Say) -> RunRecord:
    subject = read_subject(folder)
    narration = Narration(subject)
    events = folder / EVENTS_NAME
    with closing(job.follow(events, lost=say)) as lines:
        for line in lines:
            if told := narration.tell(parse_event(line)):
                say(told)
    power = folder / POWER_NAME
    if subject.power_source is not None and not power.exists():
        job.fetch_power(power)
    happened = read_events(events)
    record = record_from_events(subject, happened, power)
    add_files(folder, record_files(record, timings_of(subject, happened)))
    (folder / PENDING_NAME).unlink()
    try:
        job.remove()
    except BoardError as error:
        say(
            f"files of the measurement stay on {job.transport.name}, `edgebin devices clean` ends that: {error.message}"
        )
    return record


def _with_meter(record: RunRecord, folder: Path, energy: str, say: Say) -> RunRecord:
    """With the log of an external meter, where the user named one; the run is kept where it does not fit."""
    if not energy.startswith(CSV_PREFIX):
        return record
    log = Path(energy.removeprefix(CSV_PREFIX))
    try:
        return add_meter_log(folder, log)
    except InputError as error:
        say(f"{error.message}; when that is mended: `{shlex.join(['edgebin', 'meter', str(folder), str(log)])}`")
        return record


@contextmanager
def _bringing_home(job: Job, folder: Path) -> Iterator[None]:
    """Leaves the job and the folder where the connection is lost, nothing of them after Ctrl-C and our other errors.

    What nobody foresaw leaves them too: the samples are there, and a mended edgebin can make a record of them.
    """
    try:
        yield
    except ConnectionLost as error:
        raise ConnectionLost(
            f"{error.message}; the measurement goes on there",
            hint=f"when it can be reached again: `{shlex.join(['edgebin', 'profile', '--resume', str(folder)])}`",
        ) from error
    except (EdgebinError, KeyboardInterrupt):
        job.abandon()
        shutil.rmtree(folder, ignore_errors=True)
        raise
