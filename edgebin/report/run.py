"""A run as a report needs it: the record, and beside it what the folder holds of timings and power."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edgebin.errors import InputError
from edgebin.profile.record import RunRecord
from edgebin.report.timings import Timings, read_timings
from edgebin.report.trace import Trace, read_traces


@dataclass(frozen=True)
class Run:
    """`timings` and `traces` are empty where the folder has none, or where a `run.json` alone was given."""

    record: RunRecord
    timings: tuple[Timings, ...] = ()
    traces: tuple[Trace, ...] = field(default=())


def read_run(path: Path) -> Run:
    """Reads a run folder of `edgebin profile`, or a `run.json`.

    Raises:
        InputError: there is none, it is not complete yet, or a file of it is damaged.
    """
    if not path.exists():
        raise InputError(f"no run at `{path}`", hint="name a folder that `edgebin profile` has written")
    if not path.is_dir():
        return Run(RunRecord.read(path))
    if not (path / "run.json").exists():
        if (path / "job.json").exists():
            raise InputError(
                f"the run in `{path}` has not ended", hint=f"pick it up: `edgebin profile --resume {path}`"
            )
        raise InputError(
            f"`{path}` is not a run folder: it has no run.json", hint="name a folder that `edgebin profile` has written"
        )
    record = RunRecord.read(path)
    return Run(record, read_timings(path / "latency.csv", record), read_traces(path, record))
