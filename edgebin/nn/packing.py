"""Bits of torch tensors, in the one bit convention of edgebin.

The convention is stated in `kernels/include/edgebin.h`, its numpy twin is `edgebin.kernels.packing`: bit 1 means
negative, least significant first, a row of k bits takes `bit_row_bytes(k)` bytes and its padding bits are 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgebin.kernels.packing import bit_row_bytes


def pack_bits(negative: Tensor) -> Tensor:
    """Packs bool [..., k] (true means negative) into uint8 [..., bit_row_bytes(k)]."""
    k = negative.shape[-1]
    row_bytes = bit_row_bytes(k)
    padded = torch.nn.functional.pad(negative.to(torch.uint8), (0, 8 * row_bytes - k))
    place_values = torch.tensor([1 << bit for bit in range(8)], dtype=torch.uint8, device=negative.device)
    return (padded.reshape(*padded.shape[:-1], row_bytes, 8) * place_values).sum(-1, dtype=torch.uint8)


def unpack_signs(bits: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Unpacks uint8 [..., row_bytes] into ±1 [..., 8 * row_bytes]; padding bits come out as +1."""
    table = _signs_of_bytes(bits.device, dtype)
    return torch.nn.functional.embedding(bits.int(), table).flatten(-2)


def _signs_of_bytes(device: torch.device, dtype: torch.dtype) -> Tensor:
    """The eight ±1 of every byte, [256, 8]."""
    byte = torch.arange(256, device=device).unsqueeze(-1)
    return 1 - 2 * (byte >> torch.arange(8, device=device) & 1).to(dtype)
