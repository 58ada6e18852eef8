"""Signs as bits, for everything in Python that makes or reads them.

The convention, as in `kernels/include/edgebin.h`: bit 1 means negative, bit = (x < 0), so +0, -0 and NaN are +1. Least
significant bit first along the last axis. k bits take `bit_row_bytes(k)` = 8 * ceil(k / 64) bytes; padding bits are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def bit_row_bytes(k: int) -> int:
    """Bytes of a row of k bits: whole 64-bit words."""
    return (k + 63) // 64 * 8


def pack_bits(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """[..., k] numbers, or booleans that say "negative" → uint8 [..., bit_row_bytes(k)]."""
    negative = values if values.dtype == np.bool_ else values < 0
    packed = np.packbits(negative, axis=-1, bitorder="little")
    padding = bit_row_bytes(values.shape[-1]) - packed.shape[-1]
    return np.pad(packed, [(0, 0)] * (packed.ndim - 1) + [(0, padding)])


def unpack_bits(packed: npt.NDArray[np.uint8], k: int) -> npt.NDArray[np.bool_]:
    """uint8 [..., bit_row_bytes(k)] → booleans [..., k], true where negative."""
    return np.unpackbits(packed, axis=-1, count=k, bitorder="little").astype(np.bool_)
