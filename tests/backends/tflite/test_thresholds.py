"""Output thresholds against the float comparison itself, for every popcount there is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from edgebin.backends.tflite.thresholds import fma32, output_thresholds


def exact_fma32(a: int, b: np.float32, c: np.float32) -> np.float32:
    """By rational arithmetic: the float32 that is nearest, ties to even."""
    exact = Fraction(int(a)) * Fraction(float(b)) + Fraction(float(c))
    near = np.float32(float(exact))
    around = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
    distance = [abs(Fraction(float(value)) - exact) for value in around]
    best = [value for value, far in zip(around, distance, strict=True) if far == min(distance)]
    return next((value for value in best if value.view(np.int32) % 2 == 0), best[0])


@pytest.mark.parametrize("seed", range(4))
def test_fma_rounds_once(seed: int) -> None:
    random = np.random.default_rng(seed)
    a = random.integers(-4000, 4000, 2000)
    b = random.normal(size=2000).astype(np.float32)
    # Sums that nearly cancel, sums that differ in size, and sums on the middle between two floats.
    c = np.concatenate([-(a[:700] * b[:700]), random.normal(size=600) * 2.0**40, random.normal(size=700)]).astype(
        np.float32
    )
    want = [exact_fma32(*values) for values in zip(a, b, c, strict=True)]
    np.testing.assert_array_equal(fma32(a, b, c), np.array(want, np.float32))


def test_fma_where_rounding_twice_would_go_wrong() -> None:
    # 1 + 2**-24 is the middle between two floats, and 2**-54 more decides; float64 drops it.
    a, b, c = 1, np.float32(2.0**-54), np.float32(1)
    middle = np.float32(2.0**-24) + np.float32(2.0**-47)
    assert exact_fma32(2**20 + 1, np.float32(2.0**-44), np.float32(1)) == fma32(
        np.array([2**20 + 1]), np.array([2.0**-44], np.float32), np.array([1], np.float32)
    )
    assert fma32(np.array([a]), np.array([b]), np.array([c]))[0] == 1
    assert fma32(np.array([1]), np.array([middle]), np.array([c]))[0] == exact_fma32(1, middle, c)


@pytest.mark.parametrize("k", [1, 31, 64, 100, 577])
def test_threshold_says_what_the_comparison_says(k: int) -> None:
    random = np.random.default_rng(k)
    n = 200
    scale = (random.normal(size=n) / np.sqrt(k)).astype(np.float32)
    bias, threshold = random.normal(size=(2, n)).astype(np.float32)
    scale[:10] = 0
    scale[10] = -0.0
    # Ties: the comparison is with exactly what one of the popcounts gives.
    accumulator = k - 2 * random.integers(0, k + 1, n)
    threshold[20:120] = fma32(accumulator, scale, bias)[20:120]
    bias[120], bias[121] = 1e30, -1e30
    flip, limits = output_thresholds(k, scale, bias, threshold)
    popcounts = np.arange(k + 1)[:, None]
    want = fma32(k - 2 * popcounts, scale, bias) < threshold
    counted = np.where(flip, k - popcounts, popcounts)
    np.testing.assert_array_equal(counted > limits, want)
    assert limits.min() >= -1
    assert limits.max() <= k
