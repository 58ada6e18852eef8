"""Power over time, with what ran when: from `events.jsonl` and `power.jsonl`, in the formats of docs/board.md."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebin.errors import InputError
from edgebin.profile.record import RunRecord


@dataclass(frozen=True)
class Stretch:
    """A span of time in seconds since the trace began. `variant` is what ran; None while idling."""

    variant: str | None
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Trace:
    """One session's energy part: samples of the total power as (seconds, watts), and what was done meanwhile."""

    threads: int
    samples: tuple[tuple[float, float], ...]
    stretches: tuple[Stretch, ...]


def read_traces(folder: Path, record: RunRecord) -> tuple[Trace, ...]:
    """One for each session with windows or idle stretches; none where the folder has no such files.

    Raises:
        InputError: a file is damaged.
    """
    events_path, power_path = folder / "events.jsonl", folder / "power.jsonl"
    if record.power is None or not events_path.exists() or not power_path.exists():
        return ()
    events = list(_lines(events_path))
    total = _total_channels(events, record)
    samples = list(_totals(power_path, total))
    traces = []
    for session in sorted(
        {_integer(e, "session", events_path) for e in events if e.get("event") in ("idle", "window")}
    ):
        own = [event for event in events if event.get("session") == session]
        try:
            traces.append(_trace(own, samples, record))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"`{events_path}`: session {session} is damaged: {error!r}") from error
    return tuple(trace for trace in traces if trace.samples)


def _trace(events: list[dict[str, Any]], samples: list[tuple[int, float]], record: RunRecord) -> Trace:
    names = {event["contender"]: str(event["name"]) for event in events if event.get("event") == "started"}
    threads = next((int(e["threads"]) for e in events if e.get("event") == "session"), record.protocol.threads[0])
    spans = [
        (
            names.get(event["contender"], f"contender {event['contender']}") if event["event"] == "window" else None,
            int(event["begin_ns"]),
            int(event["end_ns"]),
        )
        for event in events
        if event.get("event") in ("idle", "window")
    ]
    begin, end = min(span[1] for span in spans), max(span[2] for span in spans)
    stretches = tuple(Stretch(name, (b - begin) / 1e9, (e - begin) / 1e9) for name, b, e in spans if e >= b)
    inside = tuple(((t - begin) / 1e9, w) for t, w in samples if begin <= t <= end)
    return Trace(threads, inside, stretches)


def _total_channels(events: list[dict[str, Any]], record: RunRecord) -> list[int] | None:
    """Positions of the channels that make the total; None for all of them."""
    assert record.power is not None
    board = next((event.get("board") for event in events if event.get("event") == "begin"), None)
    sources = board.get("power_sources") if isinstance(board, Mapping) else None
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, Mapping) and source.get("source") == record.power.source:
            channels = source.get("channels")
            if isinstance(channels, list):
                total = [
                    i for i, channel in enumerate(channels) if isinstance(channel, Mapping) and channel.get("total")
                ]
                return total or None
    return None


def _totals(path: Path, total: list[int] | None) -> Iterator[tuple[int, float]]:
    """Time and watts of the samples that could be read, in the order of time."""
    found = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            values = line["w"] if total is None else [line["w"][i] for i in total]
            if all(value is not None for value in values):
                watts = math.fsum(map(float, values))
                found.append((int(line["t_ns"]), watts))
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"`{path}`, line {number}: not a sample of power: {error!r}") from error
    yield from sorted(found)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one a line. A last line without its end was cut off while it was written: left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"`{path}` is not text: {error}") from error
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line, parse_constant=_refused)
        except (ValueError, RecursionError) as error:
            raise InputError(f"`{path}`, line {number}: {error}", hint="fetch or profile the run again") from error
        if not isinstance(item, dict):
            raise InputError(f"`{path}`, line {number}: not a JSON object", hint="fetch or profile the run again")
        yield item


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not a number")


def _integer(event: Mapping[str, Any], name: str, path: Path) -> int:
    value = event.get(name)
    if not isinstance(value, int):
        raise InputError(f"`{path}`: an event without its {name}")
    return value
