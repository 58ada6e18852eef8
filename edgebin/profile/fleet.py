"""Many boards at once: each is profiled by a thread of its own, and what fails on one is nothing to the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Literal

from edgebin.board.job import Job
from edgebin.board.state.preflight import preflight
from edgebin.board.state.recognise import fitting_targets
from edgebin.board.transports.devices import Device
from edgebin.board.transports.reach import reach_device
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Bundle, open_bundle
from edgebin.errors import BoardError, EdgebinError, InputError, MeasurementInvalid, TargetMismatch
from edgebin.profile.measure.measurement import look_at
from edgebin.profile.options import AUTO, CSV_PREFIX, Options
from edgebin.profile.record import RunRecord
from edgebin.profile.run import profile_on, refuse_emulated
from edgebin.profile.run_folder import add_files, check_new
from edgebin.targets import load_target

FLEET_NAME = "fleet.json"

Status = Literal["ok", "invalid", "failed"]
# Told which board does what.
SayOf = Callable[[str, str], None]


@dataclass(frozen=True)
class BoardResult:
    """How one board did. `run` is its run folder within the fleet's; None where there is none."""

    name: str
    host: str
    status: Status
    exit_code: int
    run: str | None
    error: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Fleet:
    """All boards, in the order of the list."""

    boards: tuple[BoardResult, ...]
    schema_version: Literal[1] = 1

    @property
    def exit_code(self) -> int:
        """0 where all are ok; the largest of the boards that failed; 7 where figures of some must not be trusted."""
        failed = [board.exit_code for board in self.boards if board.status == "failed"]
        return max(failed or [board.exit_code for board in self.boards], default=0)


def profile_fleet(
    paths: Sequence[Path],
    devices: Mapping[str, Device],
    options: Options,
    *,
    save: Path,
    say: SayOf = lambda _, __: None,
) -> tuple[Fleet, dict[str, RunRecord]]:
    """Profiles on every board the bundles that are for it, and writes `save`: a run folder each, and `fleet.json`.

    A board's bundles are those of its `target`, or where the list does not say, of what it is recognised as.

    Raises:
        BundleError, InputError: an unusable bundle, no boards, or the folder exists.
    """
    if not devices:
        raise InputError("the list has no boards", hint='a board is `[devices.NAME]` with `host = "…"`')
    check_new(save)
    bundles = [open_bundle(path) for path in paths]
    save.mkdir(parents=True)
    try:
        futures = _profile_all(devices, bundles, options, save, say)
    except BaseException:
        with suppress(OSError):  # boards that have finished are kept
            save.rmdir()
        raise
    fleet = Fleet(tuple(_result(devices[name], future, save) for name, future in futures.items()))
    text = json.dumps(asdict(fleet), indent=1, ensure_ascii=False)
    add_files(save, {FLEET_NAME: f"{text}\n".encode()})
    records = {name: future.result() for name, future in futures.items() if future.exception() is None}
    return fleet, records


def _profile_all(
    devices: Mapping[str, Device], bundles: Sequence[Bundle], options: Options, save: Path, say: SayOf
) -> dict[str, Future[RunRecord]]:
    """Waits for all; Ctrl-C ends them."""
    jobs = _Jobs()
    with ThreadPoolExecutor(len(devices), thread_name_prefix="board") as pool:
        futures = {
            name: pool.submit(_profile_board, device, bundles, options, save / name, say, jobs)
            for name, device in devices.items()
        }
        try:
            wait(futures.values())
        except BaseException:
            jobs.abandon()
            raise
    return futures


def _profile_board(
    device: Device, bundles: Sequence[Bundle], options: Options, save: Path, say: SayOf, jobs: _Jobs
) -> RunRecord:
    def tell(text: str) -> None:
        jobs.go_on()
        say(device.name, text)

    tell("connecting")
    with closing(reach_device(device)) as way:
        refuse_emulated(way)
        fitting = _bundles_for(device, way, bundles, options)
        return profile_on(
            way,
            fitting,
            _options_for(device, options),
            host=device.name,
            address=device.host,
            save=save,
            say=tell,
            started=jobs.add,
        )


def _bundles_for(device: Device, way: Transport, bundles: Sequence[Bundle], options: Options) -> list[Bundle]:
    if device.target is not None:
        wanted: tuple[str, ...] = (load_target(device.target).id,)
    else:
        board = look_at(way, options.root)
        usable = [b for b in bundles if not any(f.severity == "error" for f in preflight(board, b.manifest))]
        wanted = (*fitting_targets(board), *(bundle.manifest.target.id for bundle in usable))
    for target in wanted:
        if fitting := [bundle for bundle in bundles if bundle.manifest.target.id == target]:
            return fitting
    there = ", ".join(sorted({bundle.manifest.target.id for bundle in bundles}))
    advice = wanted[0] if wanted else "TARGET"
    raise TargetMismatch(
        f"none of the bundles is for {device.name}: they are for {there}",
        hint=f"compile one for it: `edgebin compile … -t {advice}`",
    )


def _options_for(device: Device, options: Options) -> Options:
    """What the list says of a board's power holds where the command leaves it open."""
    if options.energy != AUTO:
        return options
    if device.meter is not None:
        return replace(options, energy=CSV_PREFIX + device.meter)
    return replace(options, energy=device.power or AUTO)


def _result(device: Device, future: Future[RunRecord], save: Path) -> BoardResult:
    run = device.name if (save / device.name).exists() else None
    error = future.exception()
    if error is None:
        valid = future.result().validity
        code = 0 if valid.ok else MeasurementInvalid.exit_code
        return BoardResult(device.name, device.host, "ok" if valid.ok else "invalid", code, run)
    if not isinstance(error, EdgebinError):
        said = f"unforeseen {type(error).__name__}: {error}"
        return BoardResult(device.name, device.host, "failed", EdgebinError.exit_code, run, said)
    return BoardResult(device.name, device.host, "failed", error.exit_code, run, error.message, error.hint)


class _Jobs:
    """Those that run, for Ctrl-C."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._lock = Lock()
        self._stopped = False

    def go_on(self) -> None:
        """Raises BoardError once everything is to stop: before a job starts, nothing else would notice."""
        if self._stopped:
            raise BoardError("stopped")

    def add(self, job: Job) -> None:
        with self._lock:
            self._jobs.append(job)

    def abandon(self) -> None:
        self._stopped = True
        with self._lock:
            for job in self._jobs:
                job.abandon()
