"""Swin transformers, binarised as in BiViT or in full precision.

Source: Liu et al., Swin (ICCV 2021); He et al., BiViT (ICCV 2023). Parameters are named as in timm since 0.9, whose
buffers are not part of the state dict. The order of channels in patch merging is that of the authors and of timm.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn

from edgebin.models.classifier import ImageClassifier
from edgebin.models.timm_attention import BinarySelfAttention, dense_layer
from edgebin.models.timm_block import Block, PatchEmbed
from edgebin.models.timm_config import SwinConfig
from edgebin.nn.freeze import inference_form
from edgebin.nn.tokens import Grid

_EPS = 1e-5
# What is added to the score of two tokens that are neighbours in a window only because of the shift's wrap-around.
_MASKED = -100.0


class Swin(ImageClassifier):
    """Images [B, channels, image_size, image_size] float → logits [B, classes]."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__(config)
        self.patch_embed = PatchEmbed(config, nn.LayerNorm(config.dims[0], eps=_EPS))
        self.layers = nn.Sequential(*(SwinStage(config, stage) for stage in range(config.stages)))
        self.norm = nn.LayerNorm(config.dims[-1], eps=_EPS)
        self.head = nn.ModuleDict({"fc": dense_layer(config.dims[-1], config.classes)})

    def forward(self, pixel_values: Tensor) -> Tensor:
        x = self.norm(self.layers(self.patch_embed(pixel_values)))
        logits: Tensor = self.head["fc"](x.mean(1))
        return logits


class SwinStage(nn.Module):
    """The merging before a stage, where there is one, and its blocks."""

    def __init__(self, config: SwinConfig, stage: int) -> None:
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if stage > 0:
            self.downsample = PatchMerging(config.dims[stage - 1], config.dims[stage], config.grid(stage - 1))
        self.blocks = nn.Sequential(*(SwinBlock(config, stage, block) for block in range(config.depths[stage])))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.blocks(self.downsample(x))
        return y


class PatchMerging(nn.Module):
    """2×2 tokens side by side, norm, dense: [B, H·W, in] → [B, H·W/4, out]; stays full precision in BiViT."""

    def __init__(self, in_dim: int, out_dim: int, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        self.norm = nn.LayerNorm(4 * in_dim, eps=_EPS)
        self.reduction = dense_layer(4 * in_dim, out_dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.grid
        split = x.reshape(-1, height // 2, 2, width // 2, 2, x.shape[-1])
        # Columns before rows: (0, 0), (1, 0), (0, 1), (1, 1).
        merged = split.permute(0, 1, 3, 4, 2, 5).reshape(-1, height * width // 4, 4 * x.shape[-1])
        y: Tensor = self.reduction(self.norm(merged))
        return y


class SwinBlock(Block):
    """A block whose attention stays within windows of the grid rolled by `shift`; tokens [B, H·W, C] → the same."""

    def __init__(self, config: SwinConfig, stage: int, block: int) -> None:
        window = config.window_of(stage)
        super().__init__(config, stage, eps=_EPS, window=window)
        self.grid = config.grid(stage)
        self.window = window
        self.shift = config.shift_of(stage, block)

    def forward(self, x: Tensor) -> Tensor:
        windows = to_windows(self.norm1(x), self.grid, self.window, self.shift)
        mask = shift_mask(self.grid, self.window, self.shift).to(x) if self.shift else None
        x = x + from_windows(self.attn(windows, mask), self.grid, self.window, self.shift)
        y: Tensor = x + self.mlp(self.norm2(x))
        return y

    def inference_form(self) -> nn.Module:
        if not isinstance(self.attn, BinarySelfAttention):
            return self
        return InferenceSwinBlock(self, self.attn)


class InferenceSwinBlock(nn.Module):
    """A binary `SwinBlock` at inference; blocks of one stage share their mask."""

    def __init__(self, block: SwinBlock, attention: BinarySelfAttention) -> None:
        super().__init__()
        self.grid = block.grid
        self.window = block.window
        self.shift = block.shift
        self.norm1 = block.norm1
        mask = shift_mask(block.grid, block.window, block.shift) if block.shift else None
        self.attn = attention.with_mask(mask)
        self.norm2 = block.norm2
        self.mlp = inference_form(block.mlp)

    def forward(self, x: Tensor) -> Tensor:
        windows = to_windows(self.norm1(x), self.grid, self.window, self.shift)
        x = x + from_windows(self.attn(windows), self.grid, self.window, self.shift)
        y: Tensor = x + self.mlp(self.norm2(x))
        return y


def to_windows(x: Tensor, grid: Grid, window: int, shift: int) -> Tensor:
    """Tokens [B, H·W, C], rolled up and left by `shift` → [B · windows, window², C], windows row-major."""
    height, width = grid
    image = x.reshape(-1, height, width, x.shape[-1])
    if shift:
        image = roll(image, shift)
    split = image.reshape(-1, height // window, window, width // window, window, x.shape[-1])
    return split.permute(0, 1, 3, 2, 4, 5).reshape(-1, window**2, x.shape[-1])


def from_windows(x: Tensor, grid: Grid, window: int, shift: int) -> Tensor:
    """The way back from `to_windows`."""
    height, width = grid
    split = x.reshape(-1, height // window, width // window, window, window, x.shape[-1])
    image = split.permute(0, 1, 3, 2, 4, 5).reshape(-1, height, width, x.shape[-1])
    if shift:
        image = roll(image, -shift)
    return image.reshape(-1, height * width, x.shape[-1])


def roll(image: Tensor, shift: int) -> Tensor:
    """Rolls [B, H, W, C] up and left by `shift`, as two cuts each, which every runtime knows."""
    image = torch.cat([image[:, shift:], image[:, :shift]], dim=1)
    return torch.cat([image[:, :, shift:], image[:, :, :shift]], dim=2)


@functools.cache
def shift_mask(grid: Grid, window: int, shift: int) -> Tensor:
    """0 where two tokens of a window are neighbours in the image too, else -100: [windows, 1, window², window²].

    Source: Liu et al., Swin (ICCV 2021), Fig. 4; the authors' buffer `attn_mask`.
    """
    height, width = grid
    rows, columns = (_region(size, window, shift) for size in (height, width))
    regions = (3 * rows[:, None] + columns[None, :]).reshape(1, height * width, 1).float()
    per_window = to_windows(regions, grid, window, 0).squeeze(-1)
    differs = per_window[:, :, None] != per_window[:, None, :]
    return torch.where(differs, _MASKED, 0.0).unsqueeze(1)


def _region(size: int, window: int, shift: int) -> Tensor:
    """Which of three stripes each rolled row belongs to: whole windows, the last before the edge, the wrapped ones."""
    position = torch.arange(size)
    return (position >= size - window).long() + (position >= size - shift).long()
