"""What a set of timings says. Pure functions on samples in seconds or any other unit; nothing here measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEADY_WINDOW = 10
_STEADY_CHANGE = 0.02


@dataclass(frozen=True)
class Summary:
    """Location and spread of a sample, in the sample's unit. `stdev` divides by n − 1."""

    count: int
    minimum: float
    p50: float
    p90: float
    p99: float
    mean: float
    stdev: float


@dataclass(frozen=True)
class RatioSummary:
    """How many times longer one sample is than another, with the 95 % interval of the ratio of medians."""

    of_medians: float
    ci95_low: float
    ci95_high: float
    of_minima: float


def summarize(samples: Sequence[float]) -> Summary:
    """Percentiles by linear interpolation between order statistics.

    Raises:
        ValueError: no samples.
    """
    if not samples:
        raise ValueError("no samples to summarize")
    values = np.asarray(samples, dtype=np.float64)
    p50, p90, p99 = np.percentile(values, (50, 90, 99))
    stdev = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return Summary(
        int(values.size), float(values.min()), float(p50), float(p90), float(p99), float(values.mean()), stdev
    )


def is_steady(samples: Sequence[float]) -> bool:
    """Whether warm-up is over: the median of the last ten differs by less than 2 % from that of the ten before."""
    if len(samples) < 2 * _STEADY_WINDOW:
        return False
    last = float(np.median(samples[-_STEADY_WINDOW:]))
    before = float(np.median(samples[-2 * _STEADY_WINDOW : -_STEADY_WINDOW]))
    return abs(last - before) < _STEADY_CHANGE * before


def ratio(
    numerator: Sequence[Sequence[float]],
    denominator: Sequence[Sequence[float]],
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> RatioSummary:
    """numerator / denominator, both given as rounds that were measured alternately.

    The interval is a percentile bootstrap over rounds, drawn together for both, because timings within a round are not
    independent of each other. Source: Efron & Tibshirani, An Introduction to the Bootstrap, chapters 8 and 13.

    Raises:
        ValueError: the two have a different number of rounds, or none.
    """
    if len(numerator) != len(denominator) or not numerator:
        raise ValueError("a ratio needs the same rounds of both")
    above = [np.asarray(block, dtype=np.float64) for block in numerator]
    below = [np.asarray(block, dtype=np.float64) for block in denominator]
    generator = np.random.default_rng(seed)
    ratios = np.empty(resamples)
    for i in range(resamples):
        drawn = generator.integers(len(above), size=len(above))
        ratios[i] = _median_of([above[r] for r in drawn]) / _median_of([below[r] for r in drawn])
    low, high = np.percentile(ratios, (2.5, 97.5))
    return RatioSummary(
        of_medians=_median_of(above) / _median_of(below),
        ci95_low=float(low),
        ci95_high=float(high),
        of_minima=float(np.concatenate(above).min() / np.concatenate(below).min()),
    )


def _median_of(blocks: Sequence[NDArray[np.float64]]) -> float:
    return float(np.median(np.concatenate(blocks)))
