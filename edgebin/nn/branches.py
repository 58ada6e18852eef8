"""BinaryViT's average-pooling side branches, and the one stencil that they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebin.nn.activation import LayerScale
from edgebin.nn.ops import STENCIL_OFFSETS
from edgebin.nn.tokens import Grid


def average_branches(x: Tensor, grid: Grid, scales: dict[tuple[int, int], LayerScale]) -> Tensor:
    """Σ scale(average pooling of x) over windows (height, width), stride 1, zero padding that counts in the mean.

    Tokens [B, H·W, C] → [B, H·W, C].

    Source: Le & Li, BinaryViT (CVPRW 2023), "multiple average pooling branches".
    """
    image = x.transpose(1, 2).reshape(-1, x.shape[2], *grid)
    total = torch.zeros_like(x)
    for window, scale in scales.items():
        padding = (window[0] // 2, window[1] // 2)
        pooled = functional.avg_pool2d(image, window, stride=1, padding=padding)
        total = total + scale(pooled.flatten(2).transpose(1, 2))
    return total


class AverageStencil(nn.Module):
    """Inference form of `average_branches`: nine taps and a bias per channel, zero outside the image.

    The norm before the branches is not folded in: its shift is part of the image, but not of the padding.
    """

    taps: Tensor
    bias: Tensor

    def __init__(self, grid: Grid, scales: dict[tuple[int, int], LayerScale]) -> None:
        super().__init__()
        self.grid = grid
        channels = next(iter(scales.values())).alpha.shape[0]
        taps = torch.zeros(len(STENCIL_OFFSETS), channels, dtype=torch.float64)
        bias = torch.zeros(channels, dtype=torch.float64)
        for (height, width), scale in scales.items():
            share = scale.alpha.detach().double() / (height * width)
            for tap, (dh, dw) in zip(taps, STENCIL_OFFSETS, strict=True):
                if abs(dh) <= height // 2 and abs(dw) <= width // 2:
                    tap += share
            bias += scale.move.detach().double()
        self.register_buffer("taps", taps.float())
        self.register_buffer("bias", bias.float())

    def forward(self, x: Tensor) -> Tensor:
        image = x.reshape(-1, *self.grid, x.shape[-1])
        y: Tensor = torch.ops.edgebin.plus_stencil(image, self.taps, self.bias, False)
        return y.reshape(-1, x.shape[1], x.shape[2])
