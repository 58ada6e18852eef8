"""Power over time, with what ran when: from a run folder's `events.jsonl` and `power.jsonl` (docs/board.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebin.errors import InputError
from edgebin.profile.energy.joules import Idle, Window, windows_of
from edgebin.profile.energy.trace import Channel, PowerSource, PowerTrace, Readings
from edgebin.profile.record import Power, RunRecord


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
    events = _events(events_path)
    lines = _text(power_path).splitlines()
    try:
        readings = PowerTrace.from_lines(_source(events, record.power, lines), lines).total()
    except (InputError, AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"`{power_path}` is damaged: {error}", hint="fetch or profile the run again") from error
    try:
        traces = list(_traces(events, readings, record))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"`{events_path}` is damaged: {error!r}", hint="fetch or profile the run again") from error
    return tuple(trace for trace in traces if trace.samples)


def _traces(events: list[dict[str, Any]], readings: Readings, record: RunRecord) -> Iterable[Trace]:
    windows, idles = windows_of(events)
    names = {
        (int(event["session"]), int(event["contender"])): str(event["name"])
        for event in events
        if event.get("event") == "started"
    }
    threads = {int(event["session"]): int(event["threads"]) for event in events if event.get("event") == "session"}
    spans: list[Window | Idle] = [*windows, *idles]
    for session in sorted({span.session for span in spans}):
        own = [span for span in spans if span.session == session and span.end_ns >= span.begin_ns]
        begin, end = min(span.begin_ns for span in own), max(span.end_ns for span in own)
        inside = readings.within(begin, end)
        seconds = ((inside.t_ns - begin) / 1e9).tolist()
        stretches = tuple(
            Stretch(_name(span, names), (span.begin_ns - begin) / 1e9, (span.end_ns - begin) / 1e9)
            for span in sorted(own, key=lambda span: span.begin_ns)
        )
        samples = tuple(zip(seconds, inside.watts.tolist(), strict=True))
        yield Trace(threads.get(session, record.protocol.threads[0]), samples, stretches)


def _name(span: Window | Idle, names: Mapping[tuple[int, int], str]) -> str | None:
    if isinstance(span, Idle):
        return None
    return names.get((span.session, span.contender), f"contender {span.contender}")


def _source(events: Iterable[Mapping[str, Any]], power: Power, lines: list[str]) -> PowerSource:
    """The board's source of this name. What the board does not know is an external meter: all it reads is added up."""
    board: Mapping[str, Any] = next((event["board"] for event in events if event.get("event") == "begin"), {})
    if any(entry["source"] == power.source for entry in board.get("power_sources", ())):
        return PowerSource.from_inspect(board, power.source)
    width = len(json.loads(lines[0])["w"]) if lines else 0
    channels = tuple(Channel(f"channel {i}", total=True) for i in range(width))
    return PowerSource(power.source, power.boundary, power.trust, channels)


def _events(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one a line. A last line without its end was cut off while it was written: left out."""
    found = []
    for number, line in enumerate(_text(path).split("\n")[:-1], start=1):
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"`{path}`, line {number}: {error}", hint="fetch or profile the run again") from error
        if not isinstance(item, dict):
            raise InputError(f"`{path}`, line {number}: not a JSON object", hint="fetch or profile the run again")
        found.append(item)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"`{path}` is not text: {error}") from error
