"""LCE's integer output thresholds, derived exactly from the comparison that they stand for.

    fma(k − 2p, scale, bias) < threshold   ⇔   p > t      p the popcount, everything on the left in float32

With scale ≥ 0 the left side never rises with p, so t is found by bisection; with scale < 0 it is the popcount against
flipped weights, k − p, that counts. Source: LCE's kernels compare the popcount itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[Any]


def output_thresholds(
    k: int, scale: Vector, bias: Vector, threshold: Vector
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int32]]:
    """(which rows of the weights to flip, thresholds [n]) for float32 vectors [n]: −1 sets all bits of a channel."""
    flip = scale < 0
    # Invariant: the bit is clear at `clear` (or that is −1), and set at `set_` (or that is k + 1).
    clear, set_ = np.full(len(scale), -1), np.full(len(scale), k + 1)
    while (open_ := set_ - clear > 1).any():
        middle = (clear + set_) // 2
        bit = fma32(k - 2 * middle, np.abs(scale), bias) < threshold
        set_ = np.where(open_ & bit, middle, set_)
        clear = np.where(open_ & ~bit, middle, clear)
    return flip, clear.astype(np.int32)


def fma32(a: Vector, b: Vector, c: Vector) -> npt.NDArray[np.float32]:
    """a · b + c with one rounding to float32, for integers a below 2**22 and float32 b and c.

    The product is exact in float64. The sum's error is known (Knuth's TwoSum); where it is not zero the float64 sum is
    made odd in its last bit, so that rounding it again cannot go wrong. Source: Boldo and Melquiond, "Emulation of
    FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008.
    """
    product, addend = np.asarray(a, np.float64) * np.asarray(b, np.float64), np.asarray(c, np.float64)
    total = product + addend
    back = total - product
    error = (product - (total - back)) + (addend - back)
    even = total.view(np.int64) % 2 == 0
    nudged = np.nextafter(total, np.where(error > 0, np.inf, -np.inf))
    return np.where((error != 0) & even, nudged, total).astype(np.float32)
