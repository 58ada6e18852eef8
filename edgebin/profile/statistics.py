"""What a set of timings says. Pure functions on samples in seconds or any other unit; nothing here measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 2000
# So that a resample of many samples does not take all memory.
_RESAMPLES_AT_ONCE = 50


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


def median_interval(
    rounds: Sequence[Sequence[float]], *, resamples: int = _RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of the median: a percentile bootstrap over rounds, as `ratio` has it.

    Raises:
        ValueError: no rounds.
    """
    low, high = np.percentile(_medians(_flat(rounds), _drawn(len(rounds), resamples, seed)), (2.5, 97.5))
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
    above, below = _flat(numerator), _flat(denominator)
    drawn = _drawn(len(numerator), resamples, seed)
    low, high = np.percentile(_medians(above, drawn) / _medians(below, drawn), (2.5, 97.5))
    return RatioSummary(
        of_medians=float(np.median(above.values) / np.median(below.values)),
        ci95_low=float(low),
        ci95_high=float(high),
        of_minima=float(above.values[0] / below.values[0]),
    )


@dataclass(frozen=True)
class _Flat:
    """All samples in ascending order, and the round that each is of."""

    values: NDArray[np.float64]
    rounds: NDArray[np.intp]


def _flat(rounds: Sequence[Sequence[float]]) -> _Flat:
    if not any(rounds):
        raise ValueError("no samples to summarize")
    values = np.concatenate([np.asarray(block, dtype=np.float64) for block in rounds])
    order = np.argsort(values, kind="stable")
    return _Flat(values[order], np.repeat(np.arange(len(rounds)), [len(block) for block in rounds])[order])


def _drawn(rounds: int, resamples: int, seed: int) -> NDArray[np.int32]:
    """How often each round is in each resample, [resamples, rounds]."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(rounds, np.full(rounds, 1 / rounds), resamples).astype(np.int32)


def _medians(flat: _Flat, drawn: NDArray[np.int32]) -> NDArray[np.float64]:
    """The median of each resample: samples have their order already, only how often each counts differs."""
    medians = []
    for start in range(0, len(drawn), _RESAMPLES_AT_ONCE):
        up_to = np.cumsum(drawn[start : start + _RESAMPLES_AT_ONCE, flat.rounds], axis=1)
        middle = ((up_to[:, -1:] - 1) // 2, up_to[:, -1:] // 2)
        lower, upper = (flat.values[(up_to <= place).sum(axis=1)] for place in middle)
        medians.append((lower + upper) / 2)
    return np.concatenate(medians)
