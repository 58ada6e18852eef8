"""NesT, binarised as in BiViT or in full precision.

Source: Zhang et al., NesT (AAAI 2022); He et al., BiViT (ICCV 2023). Parameters are named as in timm's `nest_*`, whose
padding is symmetric; timm's `jx_nest_*`, of the same names, pads as TensorFlow does and is another network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebin.models.classifier import ImageClassifier
from edgebin.models.timm_attention import dense_layer
from edgebin.models.timm_block import Block, PatchEmbed
from edgebin.models.timm_config import NesTConfig
from edgebin.models.timm_swin import from_windows, to_windows
from edgebin.nn.tokens import Grid

_EPS = 1e-6
_KERNEL = 3


class NesT(ImageClassifier):
    """Images [B, channels, image_size, image_size] float → logits [B, classes]."""

    def __init__(self, config: NesTConfig) -> None:
        super().__init__(config)
        self.patch_embed = PatchEmbed(config, nn.Identity())
        self.levels = nn.Sequential(*(NesTLevel(config, level) for level in range(config.stages)))
        self.norm = nn.LayerNorm(config.dims[-1], eps=_EPS)
        self.head = dense_layer(config.dims[-1], config.classes)

    def forward(self, pixel_values: Tensor) -> Tensor:
        x = self.norm(self.levels(self.patch_embed(pixel_values)))
        logits: Tensor = self.head(x.mean(1))
        return logits


class NesTLevel(nn.Module):
    """The pooling before a level, where there is one; positions; attention within blocks of tokens."""

    def __init__(self, config: NesTConfig, level: int) -> None:
        super().__init__()
        self.grid = config.grid(level)
        self.block_side = config.block_side
        self.blocks = (self.grid[0] // self.block_side) ** 2
        dim = config.dims[level]
        self.pool: nn.Module = nn.Identity()
        if level > 0:
            self.pool = ConvPool(config.dims[level - 1], dim, config.grid(level - 1))
        self.pos_embed = nn.Parameter(torch.empty(1, self.blocks, self.block_side**2, dim))
        self.transformer_encoder = nn.Sequential(*(Block(config, level, eps=_EPS) for _ in range(config.depths[level])))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        windows = to_windows(self.pool(x), self.grid, self.block_side, 0)
        tokens, dim = windows.shape[1:]
        windows = (windows.reshape(-1, self.blocks, tokens, dim) + self.pos_embed).reshape(-1, tokens, dim)
        return from_windows(self.transformer_encoder(windows), self.grid, self.block_side, 0)


class ConvPool(nn.Module):
    """3×3 convolution, norm, 3×3 maximum of stride 2: [B, H·W, in] → [B, H·W/4, out]; stays full precision in BiViT."""

    def __init__(self, in_dim: int, out_dim: int, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        self.conv = nn.Conv2d(in_dim, out_dim, kernel_size=_KERNEL, padding=1)
        self.norm = nn.LayerNorm(out_dim, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.grid
        image = x.reshape(-1, height, width, x.shape[-1])
        # As a matrix product on patches, so that it runs on the kernel of every other full-precision product.
        patches = torch.cat(_neighbours(functional.pad(image, (0, 0, 1, 1, 1, 1)), height, width, 1), dim=-1)
        weight = self.conv.weight.permute(0, 2, 3, 1).flatten(1)
        y = self.norm(functional.linear(patches, weight, self.conv.bias))
        lowest = torch.finfo(torch.float32).min
        padded = functional.pad(y, (0, 0, 1, 1, 1, 1), value=lowest)
        pooled, *others = _neighbours(padded, height // 2, width // 2, 2)
        for other in others:
            pooled = torch.maximum(pooled, other)
        return pooled.reshape(-1, height * width // 4, y.shape[-1])


def _neighbours(padded: Tensor, height: int, width: int, stride: int) -> list[Tensor]:
    """The nine neighbours of each `stride`-th pixel of [B, H + 2, W + 2, C], rows first; each [B, height, width, C]."""
    return [
        padded[:, dh : dh + stride * height : stride, dw : dw + stride * width : stride]
        for dh in range(_KERNEL)
        for dw in range(_KERNEL)
    ]
