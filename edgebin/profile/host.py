"""Times several engines against each other on this machine, in turns, so that whatever disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edgebin.profile.statistics import is_steady, summarize

# One engine's turn: long against a context switch and the refilling of caches, short against drift of the clock.
_TURN_SECONDS = 0.15
_WARMUP_CAP = 10
_NOISY_P90_OVER_P50 = 1.5


class Timed(Protocol):
    """What can be timed: `run` gives the milliseconds of `count` inferences."""

    name: str

    def run(self, count: int) -> list[float]: ...


@dataclass(frozen=True)
class Timings:
    """One engine's milliseconds, by round; round i of every engine was measured at the same time."""

    name: str
    first_ms: float
    warmup_runs: int
    rounds: tuple[tuple[float, ...], ...]

    @property
    def all_ms(self) -> list[float]:
        return [ms for block in self.rounds for ms in block]


@dataclass(frozen=True)
class Comparison:
    """All engines' timings, and what was remarkable about them. Work of others disturbs all engines alike."""

    timings: tuple[Timings, ...]
    remarks: tuple[str, ...]


def compare(engines: Sequence[Timed], *, min_runs: int, min_seconds: float, warmup_seconds: float) -> Comparison:
    """Times engines in turns until each has at least `min_runs` inferences and `min_seconds` of them.

    First inferences and warm-up are kept apart. A turn begins with one inference that is not counted, because the
    caches still hold the engine before it; the order of turns rotates from round to round.
    """
    remarks: list[str] = []
    first = [engine.run(1)[0] for engine in engines]
    warm = [_warm_up(engine, warmup_seconds, remarks) for engine in engines]
    turn = [max(1, round(_TURN_SECONDS * 1e3 / float(np.median(samples[-20:])))) for samples in warm]
    rounds: list[list[tuple[float, ...]]] = [[] for _ in engines]
    done = False
    while not done:
        round_number = len(rounds[0])
        for step in range(len(engines)):
            i = (round_number + step) % len(engines)
            rounds[i].append(tuple(engines[i].run(turn[i] + 1)[1:]))
        done = all(_enough(blocks, min_runs, min_seconds) for blocks in rounds)
    timings = tuple(Timings(engine.name, first[i], len(warm[i]), tuple(rounds[i])) for i, engine in enumerate(engines))
    for timing in timings:
        summary = summarize(timing.all_ms)
        if summary.p90 > _NOISY_P90_OVER_P50 * summary.p50:
            remarks.append(
                f"timings of {timing.name} scatter, p90 is {summary.p90 / summary.p50:.1f} times the median: "
                "other work ran on this machine"
            )
    return Comparison(timings, tuple(remarks))


def _warm_up(engine: Timed, seconds: float, remarks: list[str]) -> list[float]:
    samples: list[float] = []
    while True:
        spent = sum(samples) / 1e3
        if samples and spent >= seconds and (is_steady(samples) or seconds == 0):
            return samples
        if samples and spent >= _WARMUP_CAP * seconds:
            remarks.append(f"{engine.name} had not settled after {spent:.0f} s of warm-up")
            return samples
        samples += engine.run(max(1, min(10, int(seconds * 1e3 / max(samples[-1], 1e-3) / 20))) if samples else 1)


def _enough(blocks: Sequence[Sequence[float]], min_runs: int, min_seconds: float) -> bool:
    return sum(map(len, blocks)) >= min_runs and sum(map(sum, blocks)) / 1e3 >= min_seconds
