"""BHViT's shift branches, circular averages and channel shifts, and the one stencil that they are."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from edgebin.nn.activation import LayerScale
from edgebin.nn.ops import STENCIL_OFFSETS
from edgebin.nn.tokens import Grid

# Direction (dh, dw) in which each quarter of the channels looks, for its value at the distance of the branch.
_QUARTERS = ((-1, 0), (1, 0), (0, -1), (0, 1))
_HEIGHT, _WIDTH = 1, 2


def shift_branches(x: Tensor, grid: Grid, scales: Mapping[str, LayerScale]) -> Tensor:
    """Σ scale(branch(x)) over the branches h, w and ch of each reach; the image wraps round at its borders.

    `h3` is the mean of a pixel and its neighbours above and below, `w3` of those left and right, `h5` and `w5` of two
    on each side. `ch3` moves the four quarters of the channels by one pixel, down, up, right and left, `ch5` by two.

    Args:
        x: tokens [B, H·W, C], 4 divides C.
        scales: the layer scale of each branch, by its name.

    Returns:
        [B, H·W, C].

    Source: Gao et al., BHViT (CVPR 2025), shift operations of the MLP, as its published code computes them.
    """
    image = x.reshape(-1, *grid, x.shape[-1])
    total = torch.zeros_like(x)
    for name, scale in scales.items():
        branch, size = _parse(name)
        if branch == "ch":
            quarters = image.chunk(4, dim=-1)
            moved = torch.cat(
                [
                    quarter.roll((-dh * (size // 2), -dw * (size // 2)), (_HEIGHT, _WIDTH))
                    for quarter, (dh, dw) in zip(quarters, _QUARTERS, strict=True)
                ],
                dim=-1,
            )
        else:
            axis = _HEIGHT if branch == "h" else _WIDTH
            steps = range(-(size // 2), size // 2 + 1)
            moved = torch.stack([image.roll(step, axis) for step in steps]).sum(0) / size
        total = total + scale(moved.reshape(x.shape))
    return total


class ShiftStencil(nn.Module):
    """Inference form of `shift_branches`: nine circular taps and a bias per channel."""

    taps: Tensor
    bias: Tensor

    def __init__(self, grid: Grid, scales: Mapping[str, LayerScale]) -> None:
        super().__init__()
        self.grid = grid
        channels = next(iter(scales.values())).alpha.shape[0]
        taps = torch.zeros(len(STENCIL_OFFSETS), channels, dtype=torch.float64)
        bias = torch.zeros(channels, dtype=torch.float64)
        for name, scale in scales.items():
            branch, size = _parse(name)
            alpha = scale.alpha.detach().double()
            bias += scale.move.detach().double()
            if branch == "ch":
                for quarter, (dh, dw) in enumerate(_QUARTERS):
                    own = slice(quarter * channels // 4, (quarter + 1) * channels // 4)
                    tap = STENCIL_OFFSETS.index((dh * (size // 2), dw * (size // 2)))
                    taps[tap, own] += alpha[own]
            else:
                for step in range(-(size // 2), size // 2 + 1):
                    taps[STENCIL_OFFSETS.index((step, 0) if branch == "h" else (0, step))] += alpha / size
        self.register_buffer("taps", taps.float())
        self.register_buffer("bias", bias.float())

    def forward(self, x: Tensor) -> Tensor:
        image = x.reshape(-1, *self.grid, x.shape[-1])
        y: Tensor = torch.ops.edgebin.plus_stencil(image, self.taps, self.bias, True)
        return y.reshape(-1, x.shape[1], x.shape[2])


def _parse(name: str) -> tuple[str, int]:
    """Direction and size of a branch: "ch5" → ("ch", 5)."""
    return name[:-1], int(name[-1])
