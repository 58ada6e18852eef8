"""Full-precision projection of image patches, and its inference form as one matrix product."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.nn.norm import fold_norm
from edgebin.nn.tokens import Grid


class PatchEmbeddings(nn.Module):
    """Convolution of kernel = stride = `patch` with a bias: [B, channels, H·patch, W·patch] → tokens [B, H·W, dim]."""

    def __init__(self, channels: int, dim: int, patch: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(channels, dim, kernel_size=patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.projection(images)
        return features.flatten(2).transpose(1, 2)


class InferencePatchEmbeddings(nn.Module):
    """The same as a matrix product on patches, so that it runs on the kernel of every other full-precision product."""

    def __init__(self, projection: nn.Linear, channels: int, patch: int, grid: Grid) -> None:
        super().__init__()
        self.projection = projection
        self.channels = channels
        self.patch = patch
        self.grid = grid

    def forward(self, images: Tensor) -> Tensor:
        height, width = self.grid
        split = images.reshape(-1, self.channels, height, self.patch, width, self.patch)
        patches = split.permute(0, 2, 4, 1, 3, 5).reshape(-1, height * width, self.channels * self.patch**2)
        tokens: Tensor = self.projection(patches)
        return tokens


def fold_patches(
    embeddings: PatchEmbeddings, norm: nn.Module, grid: Grid
) -> tuple[InferencePatchEmbeddings, nn.Module]:
    """The inference form of a patch projection with the norm after it folded in, and the norm that is left."""
    return fold_patch_conv(embeddings.projection, norm, grid)


def fold_patch_conv(conv: nn.Conv2d, norm: nn.Module, grid: Grid) -> tuple[InferencePatchEmbeddings, nn.Module]:
    """The same for a bare convolution of kernel = stride with a bias."""
    assert conv.bias is not None
    scale, bias, remaining = fold_norm(norm, torch.ones_like(conv.bias).double(), conv.bias.detach().double())
    linear = dense(conv.weight.detach().double().flatten(1) * scale[:, None], bias)
    return InferencePatchEmbeddings(linear, conv.in_channels, conv.kernel_size[0], grid), remaining


def dense(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A float32 dense layer of given weight [out, in] and bias [out], each rounded once."""
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight = nn.Parameter(weight.detach().float(), requires_grad=False)
    linear.bias = nn.Parameter(bias.detach().float(), requires_grad=False)
    return linear
