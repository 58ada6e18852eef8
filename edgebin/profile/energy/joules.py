"""Joules per inference from samples of power and the windows in which inferences ran. Pure functions; nothing measures.

Source: MLPerf Tiny, benchmark/runner (windows of at least 10 s, the median of five).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebin.errors import InputError
from edgebin.profile.energy.trace import PowerTrace, Readings
from edgebin.profile.quantities import MeasuredEnergy
from edgebin.profile.record import Power

Contender = tuple[int, int]  # session and contender, as events count them
ENERGY_FLAGS = ("baseline_drift", "too_few_samples", "missing_samples", "repeated_samples")

_NS = 1e9
_RESAMPLES = 2000
_DRIFT_SHARE, _DRIFT_W = 0.05, 0.1
_FEWEST_SAMPLES = 20
_GAP_PERIODS = 5
_MISSING_SHARE = 0.01
_FEWEST_CHANGES = 20
_SHORT_SHARE = 0.25


@dataclass(frozen=True)
class Window:
    """Inferences of one contender, one after the other without a pause."""

    session: int
    contender: int
    begin_ns: int
    end_ns: int
    runs: int


@dataclass(frozen=True)
class Idle:
    """A stretch in which the contenders of a session were loaded and nothing ran."""

    session: int
    begin_ns: int
    end_ns: int


@dataclass(frozen=True)
class EnergyMeasurement:
    """What the samples say: energies by session and contender, how they came about, and what is wrong with them."""

    energies: Mapping[Contender, MeasuredEnergy]
    power: Power
    flags: tuple[str, ...]


def windows_of(events: Iterable[Mapping[str, Any]]) -> tuple[list[Window], list[Idle]]:
    """The windows and idle stretches among a job's events (docs/board.md)."""
    windows, idles = [], []
    for event in events:
        if event.get("event") == "window":
            keys = ("session", "contender", "begin_ns", "end_ns", "runs")
            windows.append(Window(*(int(event[key]) for key in keys)))
        elif event.get("event") == "idle":
            idles.append(Idle(*(int(event[key]) for key in ("session", "begin_ns", "end_ns"))))
    return windows, idles


def measure_energy(
    trace: PowerTrace,
    windows: Sequence[Window],
    idles: Sequence[Idle],
    *,
    requested_hz: float,
    sampler_cpu_ns: int | None = None,
    alignment: str | None = None,
) -> EnergyMeasurement:
    """Energy per inference of every contender: the median of its windows.

    Idle power of a session is the mean of its idle stretches, the first of which is `before`, the last `after`.
    `sampler_cpu_ns` is what sampling took of a processor for the whole trace.

    Flags: `baseline_drift` (idle power before and after differs by more than 5 % or 0.1 W), `too_few_samples` (fewer
    than 20 in a window), `missing_samples` (more than 1 % of a window or idle stretch lies in gaps, or of its samples
    could not be read), `repeated_samples` (the source renews its reading less often than it was read).

    Raises:
        InputError: no windows, or a window without any sample.
    """
    if not windows:
        raise InputError("no energy window was run", hint="profile with `--energy`")
    readings = trace.total()
    # One clock lies under windows and samples. Without one sample inside there is nothing to interpolate from.
    sampled = [readings.within(window.begin_ns, window.end_ns) for window in windows]
    if any(inside.t_ns.size == 0 for inside in sampled):
        raise InputError(f"`{trace.source.source}` has no reading in a window of energy")
    idle_w = {
        session: [readings.mean_w(idle.begin_ns, idle.end_ns) for idle in idles if idle.session == session]
        for session in {window.session for window in windows}
    }
    energies = {
        contender: _energy(readings, [w for w in windows if (w.session, w.contender) == contender], idle_w)
        for contender in dict.fromkeys((w.session, w.contender) for w in windows)
    }
    duration_s = np.array([(window.end_ns - window.begin_ns) / _NS for window in windows])
    samples = sum(inside.t_ns.size for inside in sampled)
    steps_ns = np.diff(trace.t_ns)
    # Between sessions nothing is sampled.
    span_ns = float(steps_ns[steps_ns <= _GAP_PERIODS * np.median(steps_ns)].sum()) if steps_ns.size else 0.0
    pairs = [values for _, values in sorted(idle_w.items()) if len(values) > 1]
    power = Power(
        source=trace.source.source,
        boundary=trace.source.boundary,
        trust=trace.source.trust,
        channels=tuple(channel.label for channel in trace.source.channels if channel.total),
        requested_hz=requested_hz,
        sample_hz=float(samples / duration_s.sum()),
        samples=samples,
        windows=len(windows),
        window_seconds=float(np.median(duration_s)),
        idle_before_w=next((values[0] for _, values in sorted(idle_w.items()) if values), None),
        idle_after_w=pairs[-1][-1] if pairs else None,
        sampler_cpu_share=None if sampler_cpu_ns is None or span_ns == 0 else sampler_cpu_ns / span_ns,
        alignment=alignment,
        settings=dict(trace.source.settings),
    )
    stretches: list[Window | Idle] = [*windows, *idles]
    found = {
        "baseline_drift": any(_drifted(values[0], values[-1]) for values in pairs),
        "too_few_samples": any(inside.t_ns.size < _FEWEST_SAMPLES for inside in sampled),
        "missing_samples": any(_missing(trace, readings, stretch) for stretch in stretches),
        "repeated_samples": _too_fast(trace, requested_hz) or any(map(_repeated, sampled)),
    }
    return EnergyMeasurement(energies, power, tuple(name for name, is_so in found.items() if is_so))


def _energy(readings: Readings, windows: Sequence[Window], idle_w: Mapping[int, Sequence[float]]) -> MeasuredEnergy:
    joules = np.array([readings.energy_j(window.begin_ns, window.end_ns) for window in windows])
    seconds = np.array([(window.end_ns - window.begin_ns) / _NS for window in windows])
    runs = np.array([window.runs for window in windows])
    idle = idle_w[windows[0].session]
    total = joules / runs
    dynamic = (joules - float(np.mean(idle)) * seconds) / runs if idle else None
    return MeasuredEnergy(
        total_j_per_inference=float(np.median(total)),
        dynamic_j_per_inference=None if dynamic is None else float(np.median(dynamic)),
        total_ci95_j=_ci95(total),
        dynamic_ci95_j=None if dynamic is None else _ci95(dynamic),
        mean_w=float(joules.sum() / seconds.sum()),
        peak_w=max(float(readings.within(w.begin_ns, w.end_ns).watts.max()) for w in windows),
        windows=len(windows),
        inferences=int(runs.sum()),
    )


def _ci95(values: NDArray[np.float64]) -> tuple[float, float]:
    """Of the median, by the percentile bootstrap over windows. Source: Efron & Tibshirani, chapter 13."""
    drawn = np.random.default_rng(0).integers(values.size, size=(_RESAMPLES, values.size))
    low, high = np.percentile(np.median(values[drawn], axis=1), (2.5, 97.5))
    return float(low), float(high)


def _drifted(before_w: float, after_w: float) -> bool:
    difference = abs(after_w - before_w)
    return difference > _DRIFT_W or difference > _DRIFT_SHARE * before_w


def _missing(trace: PowerTrace, readings: Readings, window: Window | Idle) -> bool:
    """Whether gaps, of more than five usual distances between samples, take up more than 1 % of a stretch."""
    all_ns = trace.t_ns[(trace.t_ns >= window.begin_ns) & (trace.t_ns <= window.end_ns)]
    read_ns = readings.within(window.begin_ns, window.end_ns).t_ns
    if read_ns.size < (1 - _MISSING_SHARE) * all_ns.size:
        return True
    usual = np.median(np.diff(trace.t_ns))
    gaps = np.diff(np.concatenate(([window.begin_ns], read_ns, [window.end_ns])))
    return bool(gaps[gaps > _GAP_PERIODS * usual].sum() > _MISSING_SHARE * (window.end_ns - window.begin_ns))


def _too_fast(trace: PowerTrace, requested_hz: float) -> bool:
    """Whether the source itself says that it renews less often than it was read."""
    interval_ms = trace.source.settings.get("update_interval_ms")
    return isinstance(interval_ms, int | float) and requested_hz * interval_ms > 1000


def _repeated(readings: Readings) -> bool:
    """Whether values change at regular distances of several samples, as they do where a sensor is read too often.

    Values that stay the same by chance, as a sensor's coarse steps make them, change at distances spread like a
    geometric distribution; so many of those are short. Of regular distances none is.
    """
    changes = np.flatnonzero(np.diff(readings.watts))
    if changes.size < _FEWEST_CHANGES:
        return False
    distances = np.diff(changes)
    mean = float(distances.mean())
    short = max(1, int(mean / 2))
    by_chance = 1 - (1 - 1 / mean) ** short if mean > 1 else 1.0
    return float(np.mean(distances <= short)) < _SHORT_SHARE * by_chance
