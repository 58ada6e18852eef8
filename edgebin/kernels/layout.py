"""Weights as the kernels read them: panels of `nr` output channels, zero padded, k outermost within a panel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgebin.kernels.packing import unpack_bits
from edgebin.kernels.variants import Variant


def pack_b1_weights(weight: npt.NDArray[np.uint8], variant: Variant) -> npt.NDArray[np.uint8]:
    """Rows of bits [n, Kb] → panels [ceil(n / nr), ceil(Kb * 8 / word_bits), nr, bytes of a word].

    A word is the `word_bits` next bits of a channel; words of fewer than 8 bits take a byte each. Bits past Kb are 0.
    """
    n = weight.shape[0]
    if variant.word_bits < 8:
        bits = np.unpackbits(weight, axis=1, bitorder="little")
        whole = np.pad(bits, ((0, 0), (0, -bits.shape[1] % variant.word_bits)))
        words = np.packbits(whole.reshape(n, -1, variant.word_bits), axis=2, bitorder="little")
    else:
        words = weight.reshape(n, -1, variant.word_bits // 8)
    return _panels(words, variant.nr)


def pack_f32_weights(weight: npt.NDArray[np.float32], variant: Variant) -> npt.NDArray[np.float32]:
    """Rows of floats [n, k] → panels [ceil(n / nr), k, nr]."""
    return _panels(weight[:, :, np.newaxis].astype(np.float32, copy=False), variant.nr)[..., 0]


def pack_w1_weights(weight: npt.NDArray[np.uint8], k: int, variant: Variant) -> npt.NDArray[np.uint8]:
    """Rows of bits [n, Kb] → panels [ceil(n / nr), k, nr / 8]: the `nr` channels' bits of each step of k."""
    bits = unpack_bits(weight, k)[:, :, np.newaxis]
    return np.packbits(_panels(bits, variant.nr)[..., 0], axis=2, bitorder="little")


def pack_conv_weights(weight: npt.NDArray[np.uint8], groups: int, variant: Variant) -> npt.NDArray[np.uint8]:
    """Rows of bits [n, Kb], tap after tap → [groups, …]: the panels of each group, as `pack_b1_weights` makes them."""
    return np.stack([pack_b1_weights(rows, variant) for rows in np.split(weight, groups)])


def _panels(words: npt.NDArray[Any], nr: int) -> npt.NDArray[Any]:
    """[n, words, …] → [ceil(n / nr), words, nr, …]."""
    n, count, size = words.shape
    padded = np.pad(words, ((0, -n % nr), (0, 0), (0, 0)))
    return np.ascontiguousarray(padded.reshape(-1, nr, count, size).transpose(0, 2, 1, 3))
