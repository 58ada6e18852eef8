"""Square windows of token grids, and the tokens that each image adds to all of its windows.

Batch sizes are written as -1 throughout, so that none of them becomes a constant of an exported graph.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from edgebin.nn.tokens import Grid


def split_windows(x: Tensor, grid: Grid, window: int) -> Tensor:
    """[B, H·W, C] → [B·n, window², C] for the n windows of each image, row by row."""
    height, width = grid
    if (height, width) == (window, window):
        return x
    split = x.reshape(-1, height // window, window, width // window, window, x.shape[-1])
    return split.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window, x.shape[-1])


def join_windows(x: Tensor, grid: Grid, window: int) -> Tensor:
    """The way back: [B·n, window², C] → [B, H·W, C]."""
    height, width = grid
    if (height, width) == (window, window):
        return x
    split = x.reshape(-1, height // window, width // window, window, window, x.shape[-1])
    return split.permute(0, 1, 3, 2, 4, 5).reshape(-1, height * width, x.shape[-1])


def append_tokens(windows: Tensor, tokens: Tensor, count: int) -> Tensor:
    """Appends each image's tokens [B, m, C] to each of its `count` windows: [B·n, t, C] → [B·n, t + m, C]."""
    if count > 1:
        tokens = tokens.unsqueeze(1).expand(-1, count, -1, -1).reshape(-1, tokens.shape[1], tokens.shape[2])
    return torch.cat([windows, tokens], dim=1)


def pool_misaligned(x: Tensor, grid: Grid, window: int) -> tuple[Tensor, Tensor]:
    """Mean and maximum over one cell for each window, cells lying half a window further up and left than the windows.

    Cell k covers rows k · window - p … (k + 1) · window - p - 1 with p = (window - 1) // 2, and columns alike: the last
    rows and columns are in no cell. Rows outside of the image count as zeros in the mean and not at all in the maximum.

    Args:
        x: tokens [B, H·W, C].

    Returns:
        Mean and maximum, [B, H·W / window², C] each.

    Source: Gao et al., BHViT (CVPR 2025), merge tokens; its published code pools 7 × 7 with a padding of 3.
    """
    image = x.transpose(1, 2).reshape(-1, x.shape[2], *grid)
    padding = (window - 1) // 2
    mean = functional.avg_pool2d(image, window, stride=window, padding=padding)
    maximum = functional.max_pool2d(image, window, stride=window, padding=padding)
    return mean.flatten(2).transpose(1, 2), maximum.flatten(2).transpose(1, 2)
