"""Token grids: [batch, height·width, channels] in row-major order, regrouped, pooled and enlarged.

Batch sizes are written as -1 throughout, so that none of them becomes a constant of an exported graph.
"""

from __future__ import annotations

import torch
from torch import Tensor

Grid = tuple[int, int]


def windows_to_channels(x: Tensor, grid: Grid, window: int) -> Tensor:
    """Puts each window's tokens side by side: [B, H·W, C] → [B, H·W/window², window²·C], pixels row-major, then C."""
    channels = x.shape[-1]
    return _windows(x, grid, window).reshape(-1, grid[0] * grid[1] // window**2, window**2 * channels)


def pool_windows(x: Tensor, grid: Grid, window: int) -> Tensor:
    """Mean of each window: [B, H·W, C] → [B, H·W/window², C]."""
    height, width = grid
    split = x.reshape(-1, height // window, window, width // window, window, x.shape[-1])
    return split.mean((2, 4)).reshape(-1, height * width // window**2, x.shape[-1])


def repeat_windows(x: Tensor, grid: Grid, window: int) -> Tensor:
    """Nearest-neighbour enlargement onto `grid`: [B, H·W/window², C] → [B, H·W, C]."""
    height, width = grid
    split = x.reshape(-1, height // window, 1, width // window, 1, x.shape[-1])
    return split.expand(-1, -1, window, -1, window, -1).reshape(-1, height * width, x.shape[-1])


def match_channels(x: Tensor, channels: int) -> Tensor:
    """The residual of a layer that changes the width: [..., C] → [..., channels].

    Wider: x side by side with itself. Narrower: means of adjacent groups. These are not each other's inverse; the
    published models have them so.
    """
    own = x.shape[-1]
    if channels > own:
        return torch.cat([x] * (channels // own), dim=-1)
    if channels < own:
        return x.reshape(-1, x.shape[1], channels, own // channels).mean(-1)
    return x


def _windows(x: Tensor, grid: Grid, window: int) -> Tensor:
    height, width = grid
    split = x.reshape(-1, height // window, window, width // window, window, x.shape[-1])
    return split.permute(0, 1, 3, 2, 4, 5)
