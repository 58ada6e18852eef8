"""DeiT, binarised as in BiViT or in full precision.

Source: Touvron et al., DeiT (ICML 2021); He et al., BiViT (ICCV 2023). Parameters are named as in timm's
`deit_*_patch16_224`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.models.classifier import ImageClassifier
from edgebin.models.timm_attention import dense_layer
from edgebin.models.timm_block import Block, PatchEmbed
from edgebin.models.timm_config import DeiTConfig

_EPS = 1e-6


class DeiT(ImageClassifier):
    """Images [B, channels, image_size, image_size] float → logits [B, classes]."""

    def __init__(self, config: DeiTConfig) -> None:
        super().__init__(config)
        dim, (height, width) = config.dims[0], config.grid(0)
        self.cls_token = nn.Parameter(torch.empty(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + height * width, dim))
        self.patch_embed = PatchEmbed(config, nn.Identity())
        self.blocks = nn.ModuleList(Block(config, 0, eps=_EPS) for _ in range(config.depths[0]))
        self.norm = nn.LayerNorm(dim, eps=_EPS)
        self.head = dense_layer(dim, config.classes)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, pixel_values: Tensor) -> Tensor:
        tokens = self.patch_embed(pixel_values)
        x = torch.cat([self.cls_token.expand(pixel_values.shape[0], -1, -1), tokens], dim=1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x[:, 0]))
        return logits
