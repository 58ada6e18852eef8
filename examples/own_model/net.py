"""A vision transformer of one's own, built from edgebin's layers: two attention blocks, no class token, odd sizes.

edgebin knows nothing of this file. `edgebin export … --model examples/own_model/net.py:OwnViT` does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.nn.norm import BatchNormTokens
from edgebin.nn.patches import PatchEmbeddings
from edgebin.nn.self_attention import BinarySelfAttention
from edgebin.nn.unit import BinaryUnit

DIM, HIDDEN, HEADS, PATCH, BLOCKS = 96, 192, 3, 8, 2
GRID = (32 // PATCH, 32 // PATCH)


class Block(nn.Module):
    """Binary attention and a binary MLP, each on a batch norm and added to the full-precision stream."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = BatchNormTokens(DIM), BatchNormTokens(DIM)
        self.attention = BinarySelfAttention(DIM, HEADS, reduction=1, grid=GRID, norm="batch")
        self.project = BinaryUnit(DIM, DIM, norm="batch", layer_scale=0.1)
        self.widen = BinaryUnit(DIM, HIDDEN, norm="batch", layer_scale=None)
        self.narrow = BinaryUnit(HIDDEN, DIM, norm="batch", layer_scale=0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.project(self.attention(self.norm1(tokens)))
        return tokens + self.narrow(self.widen(self.norm2(tokens)))


class OwnViT(nn.Module):
    """Images [batch, 3, 32, 32] → logits [batch, 10]; the first and the last layer stay full precision."""

    image_shape = (3, 32, 32)  # what edgebin asks of a network of yours

    def __init__(self) -> None:
        super().__init__()
        self.patches = PatchEmbeddings(3, DIM, PATCH)
        self.positions = nn.Parameter(0.02 * torch.randn(1, GRID[0] * GRID[1], DIM))
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm = BatchNormTokens(DIM)
        self.head = nn.Linear(DIM, 10)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.norm(self.blocks(self.patches(images) + self.positions))
        return self.head(tokens.mean(1))
