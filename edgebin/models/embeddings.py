"""From pixels to tokens: patch projection, optional norm, optional class token, positions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.models.config import ViTConfig
from edgebin.nn.norm import BatchNormTokens
from edgebin.nn.patches import InferencePatchEmbeddings, PatchEmbeddings, fold_patches


class Embeddings(nn.Module):
    """Images [B, channels, S, S] → tokens [B, N, C]; the class token, where there is one, comes first.

    The first layer stays full precision in every published binary transformer, so the twin has the same one.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.grid = config.grid(0)
        dim = config.dims[0]
        self.patch_embeddings: PatchEmbeddings | InferencePatchEmbeddings = PatchEmbeddings(
            config.channels, dim, config.patch_size
        )
        self.norm: nn.Module = BatchNormTokens(dim) if config.stem_norm else nn.Identity()
        if config.class_token:
            self.cls_token = nn.Parameter(torch.empty(1, 1, dim))
            nn.init.trunc_normal_(self.cls_token, std=0.02)
        tokens = self.grid[0] * self.grid[1] + int(config.class_token)
        self.position_embeddings = nn.Parameter(torch.empty(1, tokens, dim))
        nn.init.trunc_normal_(self.position_embeddings, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.norm(self.patch_embeddings(images))
        if hasattr(self, "cls_token"):
            tokens = torch.cat([self.cls_token.expand(images.shape[0], -1, -1), tokens], dim=1)
        y: Tensor = tokens + self.position_embeddings
        return y

    def inference_form(self) -> Embeddings:
        if isinstance(self.patch_embeddings, PatchEmbeddings):
            self.patch_embeddings, self.norm = fold_patches(self.patch_embeddings, self.norm, self.grid)
        return self
