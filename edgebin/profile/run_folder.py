"""The run folder: the record, the single timings in `latency.csv`, the functions of each bundle in `layers.csv`.

A measured one also keeps what the record was made from: `subject.json`, `events.jsonl`, `power.jsonl`. While a job
runs, or has been lost sight of, there is a `job.json` (`edgebin.profile.measure.pending`) and no record yet.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgebin.errors import InputError
from edgebin.profile.measure.timings import Timings
from edgebin.profile.record import Layer, RunRecord

RECORD_NAME, EVENTS_NAME, POWER_NAME = "run.json", "events.jsonl", "power.jsonl"

_LATENCY_COLUMNS = ("variant", "threads", "kind", "round", "latency_ms")
_LAYER_COLUMNS = ("bundle", "name", "op", "nodes", "kind", "latency_ms", "share", "calls", "cycles", "instructions")


def new_run_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Makes the folder; it appears with all of these files.

    Raises:
        InputError: it exists, or cannot be written.
    """
    check_new(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".run-") as scratch:
            partial = Path(scratch, "run")
            partial.mkdir()
            for name, content in files.items():
                (partial / name).write_bytes(content)
            os.rename(partial, folder)
    except OSError as error:
        raise InputError(f"cannot write the run folder `{folder}`: {error.strerror}") from error


def check_new(folder: Path) -> None:
    """Raises InputError where there is such a folder already."""
    if folder.exists():
        raise InputError(f"`{folder}` exists already", hint="name another run folder")


def record_files(record: RunRecord, timings: Sequence[Timings] | None) -> dict[str, bytes]:
    """What a finished profile adds to its folder. Without `timings` the latencies are the estimates."""
    rows: Iterable[Sequence[object]] = (
        (timing.side.name, timing.threads, "measured", number, f"{ms:.6f}")
        for timing in timings or ()
        for number, block in enumerate(timing.rounds)
        for ms in block
    )
    if timings is None:
        rows = ((v.name, v.threads, "estimate", 0, f"{v.latency.p50_ms:.6f}") for v in record.variants)
    return {
        "latency.csv": _csv(_LATENCY_COLUMNS, rows),
        "layers.csv": _csv(_LAYER_COLUMNS, map(_layer_row, record.layers)),
        RECORD_NAME: record_bytes(record),
    }


def record_bytes(record: RunRecord) -> bytes:
    """What `run.json` holds."""
    return json.dumps(record.to_dict(), indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def add_files(folder: Path, files: dict[str, bytes]) -> None:
    """Adds or replaces files of a folder, each when it is complete, in this order.

    Raises:
        InputError: they cannot be written.
    """
    try:
        for name, content in files.items():
            partial = folder / f".{name}.partial"
            partial.write_bytes(content)
            os.replace(partial, folder / name)
    except OSError as error:
        raise InputError(f"cannot write the run folder `{folder}`: {error.strerror}") from error


def _layer_row(layer: Layer) -> tuple[object, ...]:
    cycles = "" if layer.cycles is None else f"{layer.cycles:.0f}"
    time_ms, share = f"{layer.latency_ms:.6f}", f"{layer.share:.6f}"
    names = (layer.bundle, layer.name, layer.op, " ".join(layer.nodes), layer.kind)
    return (*names, time_ms, share, layer.calls, cycles, layer.instructions or "")


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue().encode()
