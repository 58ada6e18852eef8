"""A run as a report needs it: the record, and beside it what the folder holds of timings and power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from edgebin.errors import InputError
from edgebin.profile.fleet import FLEET_NAME, Fleet
from edgebin.profile.measure.pending import PENDING_NAME
from edgebin.profile.record import RunRecord
from edgebin.profile.run_folder import RECORD_NAME
from edgebin.report.timings import Timings, read_timings
from edgebin.report.trace import Trace, read_traces


@dataclass(frozen=True)
class Run:
    """`timings` and `traces` are empty where the folder has none, or where a `run.json` alone was given."""

    record: RunRecord
    timings: tuple[Timings, ...] = ()
    traces: tuple[Trace, ...] = field(default=())


@dataclass(frozen=True)
class Failed:
    """A board of a fleet that has no run, and why."""

    board: str
    error: str


def read_runs(paths: Sequence[Path]) -> tuple[tuple[Run, ...], tuple[Failed, ...]]:
    """Reads run folders and `run.json` files; of a fleet's folder those of all its boards.

    Raises:
        InputError: as `read_run`; a fleet of which no board has a run.
    """
    runs: list[Run] = []
    failed: list[Failed] = []
    for path in paths:
        if not (path / FLEET_NAME).exists():
            runs.append(read_run(path))
            continue
        for board in _fleet(path / FLEET_NAME).boards:
            # A name and nothing else: what lies elsewhere is not this fleet's.
            folder = path / Path(board.run or board.name).name
            if (folder / RECORD_NAME).exists():  # perhaps of a board that was lost sight of, and resumed since
                runs.append(read_run(folder))
            else:
                failed.append(Failed(board.name, board.error or board.status))
    if not runs:
        raise InputError("no board has a run", hint="see fleet.json for what went wrong on each")
    return tuple(runs), tuple(failed)


def _fleet(path: Path) -> Fleet:
    try:
        return TypeAdapter(Fleet).validate_json(path.read_bytes(), extra="forbid")
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except ValidationError as error:
        raise InputError(f"`{path}` is damaged: {error.errors()[0]['msg']}") from error


def read_run(path: Path) -> Run:
    """Reads a run folder of `edgebin profile`, or a `run.json`.

    Raises:
        InputError: there is none, it is not complete yet, or a file of it is damaged.
    """
    if not path.exists():
        raise InputError(f"no run at `{path}`", hint="name a folder that `edgebin profile` has written")
    if not path.is_dir():
        return Run(RunRecord.read(path))
    if not (path / RECORD_NAME).exists():
        if (path / PENDING_NAME).exists():
            raise InputError(
                f"the run in `{path}` has not ended", hint=f"pick it up: `edgebin profile --resume {path}`"
            )
        raise InputError(
            f"`{path}` is not a run folder: it has no run.json", hint="name a folder that `edgebin profile` has written"
        )
    record = RunRecord.read(path)
    return Run(record, read_timings(path / "latency.csv", record), read_traces(path, record))
