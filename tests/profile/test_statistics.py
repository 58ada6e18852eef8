"""Statistics against values known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgebin.profile.statistics import percentile_interval, ratio, summarize


def test_summary_of_a_known_sample() -> None:
    summary = summarize([float(value) for value in range(1, 102)])  # 1 … 101
    assert (summary.count, summary.minimum, summary.mean) == (101, 1.0, 51.0)
    assert (summary.p50, summary.p90, summary.p99) == (51.0, 91.0, 100.0)
    assert summary.stdev == pytest.approx(np.sqrt(101 * 102 / 12))


def test_summary_of_one_and_of_none() -> None:
    assert summarize([3.0]).stdev == 0.0
    with pytest.raises(ValueError, match="no samples"):
        summarize([])


def test_ratio_of_constant_samples_is_exact() -> None:
    result = ratio([[6.0, 6.0]] * 5, [[2.0]] * 5)
    assert (result.of_medians, result.ci95_low, result.ci95_high, result.of_minima) == (3.0, 3.0, 3.0, 3.0)


def test_interval_holds_the_true_ratio_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    held = 0
    for trial in range(60):
        above = generator.lognormal(np.log(4.0), 0.1, (20, 5)).tolist()
        below = generator.lognormal(np.log(2.0), 0.1, (20, 5)).tolist()
        result = ratio(above, below, resamples=300, seed=trial)
        held += result.ci95_low <= 2.0 <= result.ci95_high
    assert 50 <= held <= 60


def test_common_disturbance_does_not_widen_the_interval() -> None:
    slow_rounds = [1.0, 3.0] * 10  # the machine was three times slower in every other round, for both
    calm = ratio([[4.0]] * 20, [[2.0]] * 20)
    disturbed = ratio([[4.0 * f] for f in slow_rounds], [[2.0 * f] for f in slow_rounds])
    assert (disturbed.ci95_low, disturbed.ci95_high) == (calm.ci95_low, calm.ci95_high) == (2.0, 2.0)


def test_rounds_must_match() -> None:
    with pytest.raises(ValueError, match="same rounds"):
        ratio([[1.0]], [[1.0], [1.0]])


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_interval_of_a_percentile_is_that_of_resampled_rounds(share: float) -> None:
    """Against the plain way: draw rounds, join them, take the percentile."""
    generator = np.random.default_rng(3)
    rounds = [generator.lognormal(0, 0.2, size).tolist() for size in (7, 1, 12, 4, 9, 3)]
    resamples = generator.integers(len(rounds), size=(4000, len(rounds)))
    joined = [np.concatenate([rounds[number] for number in drawn]) for drawn in resamples]
    plain = [np.percentile(block, 100 * share) for block in joined]
    low, high = percentile_interval(rounds, share)
    expected = np.percentile(plain, (2.5, 97.5))
    assert (low, high) == pytest.approx(tuple(expected), rel=0.02)
    assert low < np.percentile(np.concatenate(rounds), 100 * share) <= high


def test_interval_of_the_median_without_samples() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile_interval([], 0.5)
