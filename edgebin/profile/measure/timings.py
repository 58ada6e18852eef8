"""Who was timed, and how long each inference took, taken from a job's events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgebin.errors import BoardError
from edgebin.profile.measure.events import (
    Chosen,
    Event,
    Failed,
    First,
    Memory,
    Round,
    SessionBegin,
    Started,
    Trial,
    Warmup,
)
from edgebin.profile.measure.subject import Side, Subject


@dataclass(frozen=True)
class Timings:
    """One contender's inferences in one session, by round; round i of all contenders was measured at the same time.

    `session` and `contender` are as the events count them.
    """

    session: int
    contender: int
    side: Side
    threads: int
    cpus: tuple[int, ...] | None
    note: str
    load_ms: float
    first_ms: float
    rounds: tuple[tuple[float, ...], ...]
    warmup_ms: float
    settled: bool
    peak_rss_bytes: int | None

    @property
    def all_ms(self) -> list[float]:
        """Of all rounds."""
        return [ms for block in self.rounds for ms in block]


def timings_of(subject: Subject, events: Sequence[Event]) -> tuple[Timings, ...]:
    """Everybody who was timed, session by session, in the order in which they were asked for.

    Raises:
        BoardError: the events are of another plan, or end before everybody was timed.
    """
    found = []
    for number, sides in enumerate(subject.sessions):
        ours = [event for event in events if getattr(event, "session", None) == number]
        begun = next((event for event in ours if isinstance(event, SessionBegin)), None)
        chosen = next((event.contenders for event in ours if isinstance(event, Chosen)), ())
        if begun is None or not chosen:
            raise BoardError("the measurement ended before everything was timed", hint="profile again")
        if not all(0 <= index < len(sides) for index in chosen):
            raise BoardError("the events are of another measurement", hint="profile again")
        found += [_timings(begun, index, sides, [e for e in ours if _contender(e) == index], ours) for index in chosen]
    return tuple(found)


def remarks(timings: Sequence[Timings]) -> tuple[str, ...]:
    """What was remarkable."""
    several = len({timing.threads for timing in timings}) > 1
    said = []
    for timing in timings:
        name = f"{timing.side.name} with {timing.threads} threads" if several else timing.side.name
        if not timing.settled:
            said.append(f"{name} had not settled after {timing.warmup_ms / 1e3:.0f} s of warm-up")
    return tuple(said)


def _contender(event: Event) -> int | None:
    return getattr(event, "contender", None)


def _timings(
    begun: SessionBegin, index: int, sides: Sequence[Side], own: Sequence[Event], session: Sequence[Event]
) -> Timings:
    started = next((event for event in own if isinstance(event, Started)), None)
    first = next((event for event in own if isinstance(event, First)), None)
    rounds = sorted((event for event in own if isinstance(event, Round)), key=lambda event: event.round)
    if started is None or first is None or not rounds:
        raise BoardError("the measurement ended before everything was timed", hint="profile again")
    if started.name != sides[index].name:
        raise BoardError("the events are of another measurement", hint="profile again")
    warmups = [event for event in own if isinstance(event, Warmup)]
    memory = [event.peak_rss_bytes for event in own if isinstance(event, Memory)]
    return Timings(
        session=begun.session,
        contender=index,
        side=sides[index],
        threads=begun.threads,
        cpus=begun.cores or None,
        note=_note(index, sides, session),
        load_ms=started.load_ns / 1e6,
        first_ms=first.samples_ns[0] / 1e6,
        rounds=tuple(tuple(ns / 1e6 for ns in event.samples_ns) for event in rounds),
        warmup_ms=sum(ns for event in warmups for ns in event.samples_ns) / 1e6,
        settled=all(event.settled for event in warmups),
        peak_rss_bytes=max(memory, default=0) or None,
    )


def _note(index: int, sides: Sequence[Side], session: Sequence[Event]) -> str:
    """What was weighed to choose this one of several of a name."""
    side = sides[index]
    note = side.how
    trials = {
        event.contender: min(event.samples_ns)
        for event in session
        if isinstance(event, Trial) and sides[event.contender].name == side.name
    }
    rivals = sorted((ns, rival) for rival, ns in trials.items() if rival != index)
    if rivals and index in trials:
        note += f"; slower in a trial: {sides[rivals[0][1]].how}, {rivals[0][0] / trials[index]:.2f}×"
    refused = [e.contender for e in session if isinstance(e, Failed) and sides[e.contender].name == side.name]
    if refused:
        note += f"; it refuses the model {' and '.join(sides[rival].how for rival in refused)}"
    return note
