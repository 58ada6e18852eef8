"""The single timings of a run, by variant, number of threads and round: `latency.csv`."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from edgebin.errors import InputError
from edgebin.profile.record import RunRecord


@dataclass(frozen=True)
class Timings:
    """`rounds`: milliseconds of each inference, in the order in which they were taken."""

    variant: str
    threads: int
    rounds: tuple[tuple[float, ...], ...]

    @property
    def all_ms(self) -> list[float]:
        """Those of all rounds."""
        return [ms for block in self.rounds for ms in block]


def read_timings(path: Path, record: RunRecord) -> tuple[Timings, ...]:
    """What was measured, in the order of the file; nothing where there is no file. Estimates have no timings.

    Without a column `threads` they are of the record's first number of threads.

    Raises:
        InputError: a line is damaged.
    """
    found: dict[tuple[str, int], dict[int, list[float]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            for number, row in enumerate(csv.DictReader(stream, strict=True), start=2):
                _add(found, row, record, f"`{path}`, line {number}")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"`{path}` is damaged: {error}", hint="fetch or profile the run again") from error
    return tuple(
        Timings(name, threads, tuple(tuple(rounds[i]) for i in sorted(rounds)))
        for (name, threads), rounds in found.items()
    )


def _add(
    found: dict[tuple[str, int], dict[int, list[float]]], row: dict[str, str], record: RunRecord, where: str
) -> None:
    try:
        ms = float(row["latency_ms"])
        if not math.isfinite(ms) or ms <= 0:
            raise ValueError(f"{ms} ms is not a latency")
        if row["kind"] == "measured":
            key = row["variant"], int(row.get("threads") or record.protocol.threads[0])
            found.setdefault(key, {}).setdefault(int(row["round"]), []).append(ms)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"no column {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{where}: {reason}", hint="fetch or profile the run again") from error
