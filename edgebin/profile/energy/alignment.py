"""Lays the clock of an external meter over the board's: by time stamps, and by when the board was busy and when idle.

The schedule of a run says when each contender ran and when nothing did. Under the right clock power is level within
each of these stretches, so the clock is the one under which levels, one for idling and one per contender, explain most
of the log's variance (least squares). Stretches leave gaps between them in which nobody says what the board did; within
these a clock may move without anything to see, which is what the stated uncertainty is mostly made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebin.errors import InputError
from edgebin.profile.energy.joules import Idle, Window
from edgebin.profile.energy.meter_log import MeterLog

Array = NDArray[np.float64]

_NS = 1e9
_GRID_HZ = 100.0
_AVERAGE_S, _MOST_AVERAGE_S, _AVERAGE_SHARE = 0.05, 1.0, 0.05
_STAMPS_REACH_S = 60.0
_MOST_DRIFT = 300e-6  # crystals are within 100e-6, either one
_EXPLAINED = 0.5
_RIVAL_DISTANCE_S = 1.0
_RIVAL_MARGIN, _RIVAL_RESIDUE = 0.05, 1.5
_FLAT = 0.01  # of the explained variance
_BATCH = 4096


@dataclass(frozen=True)
class ClockMap:
    """Board time = `origin_ns` + (1 + `drift`)·(meter time), with `uncertainty_s` to either side (None: not known)."""

    origin_ns: float
    drift: float
    uncertainty_s: float | None
    description: str

    def board_ns(self, seconds: Array) -> NDArray[np.int64]:
        """CLOCK_MONOTONIC of the board at times of the meter's own clock."""
        times: NDArray[np.int64] = np.rint(self.origin_ns + seconds * (1 + self.drift) * _NS).astype(np.int64)
        return times


def align(
    log: MeterLog, windows: Sequence[Window], idles: Sequence[Idle], clocks: Sequence[Mapping[str, int]]
) -> ClockMap:
    """Finds the clock of a log.

    `clocks` are pairs of the board's `monotonic_ns` and `realtime_ns` (its events `begin` and `end`). With times since
    1970 in the log they say where to look; what the schedule says is nearer, for clocks of two machines differ.

    Raises:
        InputError: the log does not cover the run; it shows no difference between busy and idle; it fits the schedule
            in more than one place.
    """
    schedule = _Schedule.of(windows, idles)
    stamped = _stamped_start_s(log, clocks, schedule)
    free_s = float(log.seconds[-1]) - schedule.span_s
    if free_s < -_STAMPS_REACH_S or (stamped is None and free_s < 0):
        raise InputError(
            f"the log covers {log.seconds[-1]:.0f} s, and the energy windows of this run take {schedule.span_s:.0f} s",
            hint="start the meter's recording before the run, and end it after",
        )
    low, high = (0.0, max(free_s, 0.0)) if stamped is None else (stamped - _STAMPS_REACH_S, stamped + _STAMPS_REACH_S)
    low, high = max(low, 0.0), min(high, free_s)
    if stamped is not None and low > high:
        raise InputError(
            f"by its time stamps the log does not cover the run: its windows begin at {stamped:.0f} s of the log",
            hint="is this the log of this run, and is the clock of the board right? `date` on it tells",
        )
    # A window has a hundred inferences or more: a twentieth of it has some, and shows how it differs from others.
    average_s = float(np.clip(_AVERAGE_SHARE * schedule.shortest_s, _AVERAGE_S, _MOST_AVERAGE_S))
    power = _Power.of(log, average_s)
    starts = np.arange(low, high + 1 / _GRID_HZ, 1 / _GRID_HZ)
    explained = schedule.explained(power, starts, np.zeros_like(starts))
    best = int(np.argmax(explained))
    problem = _problem(starts, explained, best)
    if problem is not None and stamped is None:
        raise InputError(
            f"the log cannot be laid over the run: {problem}",
            hint="record one run only, and let the board idle before and after; or export a log with absolute times",
        )
    if problem is not None:
        assert stamped is not None
        return _map(schedule, stamped, 0.0, None, f"by time stamps alone, as both clocks were set: {problem}")
    start_s, drift, uncertainty_s = _refine(schedule, _Power.of(log, _AVERAGE_S), float(starts[best]))
    share = float(explained[best])
    said = (
        f"fitted to when the board was busy and idle, ±{uncertainty_s:.2f} s; that explains {share:.0%} of the variance"
    )
    if stamped is not None:
        ahead = "ahead of" if start_s > stamped else "behind"
        said += f"; the meter's time of day is {abs(start_s - stamped):.2f} s {ahead} the board's"
    return _map(schedule, start_s, drift, uncertainty_s, said + (f"; drift {drift * 1e6:+.0f} ppm" if drift else ""))


@dataclass(frozen=True)
class _Power:
    """Sums of power and of its square up to each time, to have those of any stretch by one subtraction.

    Power is averaged over some time: what happens within an inference is no matter of the schedule.
    """

    seconds: Array
    first: Array
    second: Array

    @classmethod
    def of(cls, log: MeterLog, average_s: float) -> _Power:
        joules = np.concatenate(([0.0], np.cumsum(np.diff(log.seconds) * (log.watts[1:] + log.watts[:-1]) / 2)))
        bins = max(1, int(log.seconds[-1] * min(1 / average_s, log.hz)))
        seconds = np.linspace(0.0, log.seconds[-1], bins + 1)
        step = seconds[1]
        watts = np.diff(np.interp(seconds, log.seconds, joules)) / step
        watts -= watts.mean()  # small numbers keep their digits when squared
        first = np.concatenate(([0.0], np.cumsum(step * watts)))
        return cls(seconds, first, np.concatenate(([0.0], np.cumsum(step * watts**2))))


@dataclass(frozen=True)
class _Schedule:
    """Stretches in seconds after the first begins; `levels` numbers what ran in each, 0 for nothing."""

    origin_ns: int
    begins: Array
    ends: Array
    levels: NDArray[np.int64]

    @classmethod
    def of(cls, windows: Sequence[Window], idles: Sequence[Idle]) -> _Schedule:
        if not windows:
            raise InputError("no energy window was run", hint="profile with `--energy meter`")
        contenders = list(dict.fromkeys((window.session, window.contender) for window in windows))
        stretches = [(idle.begin_ns, idle.end_ns, 0) for idle in idles]
        stretches += [(w.begin_ns, w.end_ns, 1 + contenders.index((w.session, w.contender))) for w in windows]
        stretches = [stretch for stretch in stretches if stretch[1] > stretch[0]]
        if not stretches:
            raise InputError("the energy windows of this run are empty")
        origin_ns = min(begin for begin, _, _ in stretches)
        begins, ends, levels = zip(*sorted(stretches), strict=True)
        return cls(
            origin_ns,
            (np.array(begins) - origin_ns) / _NS,
            (np.array(ends) - origin_ns) / _NS,
            np.array(levels, dtype=np.int64),
        )

    @property
    def span_s(self) -> float:
        return float(self.ends.max())

    @property
    def shortest_s(self) -> float:
        return float((self.ends - self.begins).min())

    @property
    def middle_s(self) -> float:
        return self.span_s / 2

    def explained(self, power: _Power, starts: Array, drifts: Array) -> Array:
        """For each clock the share of variance that levels explain; -1 where less power is drawn busy than idle.

        A clock: the meter shows `start` when the first stretch begins, as if without drift round the middle.
        """
        shares = [
            self._explained(power, starts[i : i + _BATCH], drifts[i : i + _BATCH])
            for i in range(0, starts.size, _BATCH)
        ]
        return np.concatenate(shares)

    def _explained(self, power: _Power, starts: Array, drifts: Array) -> Array:
        def at(times: Array) -> Array:
            return starts[:, None] + self.middle_s + (times[None, :] - self.middle_s) / (1 + drifts[:, None])

        begins, ends = at(self.begins), at(self.ends)
        duration = ends - begins
        first = np.interp(ends, power.seconds, power.first) - np.interp(begins, power.seconds, power.first)
        second = np.interp(ends, power.seconds, power.second) - np.interp(begins, power.seconds, power.second)
        total_s, mean = duration.sum(axis=1), first.sum(axis=1) / duration.sum(axis=1)
        variance = second.sum(axis=1) / total_s - mean**2
        between = np.zeros_like(mean)
        for level in np.unique(self.levels):
            inside = self.levels == level
            seconds = duration[:, inside].sum(axis=1)
            between += seconds / total_s * (first[:, inside].sum(axis=1) / seconds - mean) ** 2
        share: Array = between / np.maximum(variance, 1e-15)
        idle = self.levels == 0
        if idle.any():
            busy_w = first[:, ~idle].sum(axis=1) / duration[:, ~idle].sum(axis=1)
            share[busy_w <= first[:, idle].sum(axis=1) / duration[:, idle].sum(axis=1)] = -1
        return share


def _problem(starts: Array, explained: Array, best: int) -> str | None:
    """Why the best clock is none, or not the only one."""
    if explained[best] < _EXPLAINED:
        return f"its power does not follow what ran ({max(float(explained[best]), 0.0):.0%} of the variance explained)"
    # Another place that is as good, with worse ones in between.
    good = explained >= min(1 - _RIVAL_RESIDUE * (1 - explained[best]), explained[best] - _RIVAL_MARGIN)
    edges = np.flatnonzero(np.diff(good.astype(np.int8)))
    mine = int(np.searchsorted(edges, best))
    left = starts[edges[mine - 1]] if mine > 0 else starts[0]
    right = starts[edges[mine] + 1] if mine < edges.size else starts[-1]
    rivals = starts[good & ((starts < left - _RIVAL_DISTANCE_S) | (starts > right + _RIVAL_DISTANCE_S))]
    if rivals.size:
        return f"it fits at {starts[best]:.1f} s of the log, and at {rivals[0]:.1f} s nearly as well"
    return None


def _refine(schedule: _Schedule, power: _Power, start_s: float) -> tuple[float, float, float]:
    """Start, drift, and half the width of starts that are about as good.

    In a run so short that no drift could be seen it counts as 0.
    """
    resolution_s = float(power.seconds[1])
    half_s, drift = 1.0, 0.0
    half_drift = _MOST_DRIFT if _MOST_DRIFT * schedule.middle_s > resolution_s else 0.0
    for _ in range(8):
        starts = start_s + np.linspace(-half_s, half_s, 41)
        drifts = np.clip(
            drift + np.linspace(-half_drift, half_drift, 21 if half_drift else 1), -_MOST_DRIFT, _MOST_DRIFT
        )
        grid = np.stack(np.meshgrid(starts, drifts, indexing="ij")).reshape(2, -1)
        share = schedule.explained(power, grid[0], grid[1])
        # The middle of all that is as good, not one of them by chance: without anything to see the drift stays 0.
        level = share.max() - (share.max() - np.median(share)) * 1e-3
        good = share >= level
        start_s, drift = float(grid[0, good].mean()), float(grid[1, good].mean())
        half_s, half_drift = half_s / 2, half_drift / 2
    around = start_s + np.linspace(-5, 5, 2001)
    share = schedule.explained(power, around, np.full_like(around, drift))
    flat = around[share >= (1 - _FLAT) * share.max()]
    return start_s, drift, max(float(np.abs(flat - start_s).max()), resolution_s)


def _stamped_start_s(log: MeterLog, clocks: Sequence[Mapping[str, int]], schedule: _Schedule) -> float | None:
    """Where in the log its time stamps put the begin of the schedule."""
    if log.epoch_ns is None or not clocks:
        return None
    monotonic = np.array([clock["monotonic_ns"] for clock in clocks], dtype=np.float64)
    ahead = np.array([clock["realtime_ns"] - clock["monotonic_ns"] for clock in clocks], dtype=np.float64)
    realtime_ns = schedule.origin_ns + float(np.interp(schedule.origin_ns, monotonic, ahead))
    return float((realtime_ns - log.epoch_ns) / _NS)


def _map(schedule: _Schedule, start_s: float, drift: float, uncertainty_s: float | None, description: str) -> ClockMap:
    """From the clock of `_Schedule.explained`, which has its pivot in the middle of the schedule."""
    pivot_meter_s = start_s + schedule.middle_s
    pivot_board_ns = schedule.origin_ns + schedule.middle_s * _NS
    return ClockMap(pivot_board_ns - pivot_meter_s * (1 + drift) * _NS, drift, uncertainty_s, description)
