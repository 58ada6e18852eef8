"""What a set of timings says. Pure functions on samples in seconds or any other unit; nothing here measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 2000


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
    if len(samples) == 0:
        raise ValueError("no samples to summarize")
    values = np.asarray(samples, dtype=np.float64)
    p50, p90, p99 = np.percentile(values, (50, 90, 99))
    stdev = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return Summary(
        int(values.size), float(values.min()), float(p50), float(p90), float(p99), float(values.mean()), stdev
    )


def percentile_interval(
    rounds: Sequence[Sequence[float]], share: float, *, resamples: int = _RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of a percentile (0.5: the median), by a percentile bootstrap over rounds, as `ratio` has it.

    Raises:
        ValueError: no rounds.
    """
    ordered = _sorted(rounds)
    low, high = np.percentile(_percentiles(ordered, _drawn(len(rounds), resamples, seed), share), (2.5, 97.5))
    return float(low), float(high)


def ratio(
    numerator: Sequence[Sequence[float]],
    denominator: Sequence[Sequence[float]],
    *,
    resamples: int = _RESAMPLES,
    seed: int = 0,
) -> RatioSummary:
    """numerator / denominator, both given as rounds that were measured alternately.

    The interval is a percentile bootstrap over rounds, drawn together for both, because timings within a round are not
    independent of each other. Source: Efron & Tibshirani, An Introduction to the Bootstrap, chapters 8 and 13.

    Raises:
        ValueError: the two have a different number of rounds, or none.
    """
    if len(numerator) != len(denominator):
        raise ValueError("a ratio needs the same rounds of both")
    above, below = _sorted(numerator), _sorted(denominator)
    drawn = _drawn(len(numerator), resamples, seed)
    low, high = np.percentile(_percentiles(above, drawn, 0.5) / _percentiles(below, drawn, 0.5), (2.5, 97.5))
    return RatioSummary(
        of_medians=float(np.median(np.concatenate(above)) / np.median(np.concatenate(below))),
        ci95_low=float(low),
        ci95_high=float(high),
        of_minima=float(np.concatenate(above).min() / np.concatenate(below).min()),
    )


def _sorted(rounds: Sequence[Sequence[float]]) -> list[NDArray[np.float64]]:
    if not any(rounds):
        raise ValueError("no samples to summarize")
    return [np.sort(np.asarray(block, dtype=np.float64)) for block in rounds]


def _drawn(rounds: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """How often each round is in each resample, [resamples, rounds]."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(rounds, np.full(rounds, 1 / rounds), resamples)


def _percentiles(rounds: Sequence[NDArray[np.float64]], drawn: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """The percentile of each resample of rounds, whose samples are in ascending order; between two samples linear."""
    position = share * (drawn @ np.array([len(block) for block in rounds]) - 1)
    below = np.floor(position).astype(np.int64)
    lower, upper = (_order_statistic(rounds, drawn, rank) for rank in (below, np.ceil(position).astype(np.int64)))
    between: NDArray[np.float64] = lower + (upper - lower) * (position - below)
    return between


def _order_statistic(
    rounds: Sequence[NDArray[np.float64]], drawn: NDArray[np.int64], rank: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The value of this rank, from 0, in each resample: bisection, without ever putting a resample together."""
    values = np.unique(np.concatenate(rounds))
    low, high = np.zeros(len(drawn), np.intp), np.full(len(drawn), len(values) - 1)
    while (low < high).any():
        middle = (low + high) // 2
        not_above = np.stack([np.searchsorted(block, values[middle], side="right") for block in rounds], axis=1)
        reached = (drawn * not_above).sum(axis=1) > rank
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    return values[low]
