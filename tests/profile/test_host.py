"""The order and amount of timings: a biased protocol gives a precise wrong ratio."""

from __future__ import annotations

import os

import pytest

from edgebin.errors import BoardError, InputError
from edgebin.profile.engines import Engine, pinned
from edgebin.profile.host import compare


class Clockwork:
    """Takes exactly `ms` per inference, the first one ten times that; keeps a log of turns shared with its rivals."""

    def __init__(self, name: str, ms: float, log: list[str]) -> None:
        self.name, self._ms, self._log, self._runs = name, ms, log, 0

    def run(self, count: int) -> list[float]:
        self._log.append(self.name)
        times = [self._ms * (10 if self._runs + i == 0 else 1) for i in range(count)]
        self._runs += count
        return times


def test_engines_take_turns_and_nobody_is_always_first() -> None:
    log: list[str] = []
    engines = [Clockwork(name, ms, log) for name, ms in (("a", 10.0), ("b", 30.0), ("c", 20.0))]
    result = compare(engines, min_runs=40, min_seconds=1.0, warmup_seconds=0.2)
    rounds = len(result.timings[0].rounds)
    turns = log[-3 * rounds :]
    orders = ["".join(turns[i : i + 3]) for i in range(0, len(turns), 3)]
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert {order[0] for order in orders} == {"a", "b", "c"}
    assert {len(timings.rounds) for timings in result.timings} == {rounds}


def test_least_runs_and_least_seconds_both_hold() -> None:
    engines = [Clockwork("quick", 1.0, []), Clockwork("slow", 500.0, [])]
    result = compare(engines, min_runs=30, min_seconds=2.0, warmup_seconds=0.0)
    for timings in result.timings:
        assert len(timings.all_ms) >= 30
        assert sum(timings.all_ms) >= 2000


def test_first_inference_is_kept_apart() -> None:
    (timings,) = compare([Clockwork("a", 2.0, [])], min_runs=20, min_seconds=0, warmup_seconds=0.1).timings
    assert timings.first_ms == 20.0
    assert set(timings.all_ms) == {2.0}


def test_dead_engine_is_one_clear_error() -> None:
    with pytest.raises(BoardError, match="ended with"):
        Engine("binary", ["/bin/false"])
    with pytest.raises(BoardError, match="cannot start"):
        Engine("binary", ["/nonexistent/runner"])
    with pytest.raises(BoardError, match="answered"):
        Engine("binary", ["/bin/echo", "hello"])


def test_pinning_is_undone() -> None:
    before = os.sched_getaffinity(0)
    with pinned([min(before)]):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
    with pytest.raises(InputError), pinned([4095]):
        pass
    assert os.sched_getaffinity(0) == before
