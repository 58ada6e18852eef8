"""Torch op of the plus-shaped stencil that side branches fold into."""

from __future__ import annotations

import torch
from torch import Tensor

# (dh, dw) of each row of a plus-stencil's taps.
STENCIL_OFFSETS = ((0, 0), (-1, 0), (1, 0), (-2, 0), (2, 0), (0, -1), (0, 1), (0, -2), (0, 2))


@torch.library.custom_op("edgebin::plus_stencil", mutates_args=())
def plus_stencil(x: Tensor, taps: Tensor, bias: Tensor, circular: bool) -> Tensor:
    """Depthwise plus-shaped stencil of reach 2: bias plus the nine neighbours of `STENCIL_OFFSETS`, each times its tap.

    x [B, H, W, C], taps [9, C], bias [C] → [B, H, W, C]. Outside the image x is 0, or wraps round when `circular`.
    """
    height, width = x.shape[1:3]
    wide = x.double()
    y = bias.expand(x.shape)
    for tap, (dh, dw) in zip(taps, STENCIL_OFFSETS, strict=True):
        rows = _neighbour(wide, dh, height, 1, circular)
        y = torch.addcmul(y.double(), _neighbour(rows, dw, width, 2, circular), tap.double()).to(x.dtype)
    return y.contiguous()


def _neighbour(x: Tensor, step: int, size: int, axis: int, circular: bool) -> Tensor:
    """x[i + step] along `axis`, wrapped round, or 0 outside."""
    if step == 0:
        return x
    shifted = torch.roll(x, -step, axis)
    if not circular:
        outside = range(max(size - step, 0), size) if step > 0 else range(min(-step, size))
        shifted.index_fill_(axis, torch.tensor(outside, dtype=torch.long, device=x.device), 0)
    return shifted


@plus_stencil.register_fake
def _(x: Tensor, taps: Tensor, bias: Tensor, circular: bool) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)
