"""BHViT's full-precision twin: what one would deploy had one not binarised, as the baseline of every comparison.

The same stages, widths and windows as a plain network: pre-norm blocks with grouped dilated convolutions, then with
softmax attention of each window to itself and to the merge tokens, each followed by an MLP with GELU. The shortcuts,
activations and shift branches that make up for binary layers are left out.

Source: Gao et al., BHViT (CVPR 2025), for the shape; Dosovitskiy et al., ViT (ICLR 2021), for the blocks.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from edgebin.models.bhvit import HybridEmbeddings, HybridEncoder
from edgebin.models.bhvit_config import CONV_DILATIONS, CONV_GROUPS, CONV_STAGES, HybridConfig
from edgebin.models.classifier import Classifier
from edgebin.models.downsampling import FullPrecisionDownsampling
from edgebin.nn.norm import make_norm
from edgebin.nn.windows import append_tokens, join_windows, pool_misaligned, split_windows

_KERNEL = 3


class HybridViT(Classifier):
    """Images [B, channels, image_size, image_size] float → logits [B, classes]."""

    def __init__(self, config: HybridConfig) -> None:
        encoder = HybridEncoder(
            config, lambda stage: HybridLayer(config, stage), lambda stage: _downsampling(config, stage)
        )
        super().__init__(
            config,
            embeddings=HybridEmbeddings(config, make_norm("batch", config.dims[0])),
            encoder=encoder,
            norm=nn.LayerNorm(config.dims[-1]),
        )


def _downsampling(config: HybridConfig, stage: int) -> nn.Module:
    return FullPrecisionDownsampling(
        config.dims[stage - 1], config.dims[stage], grid=config.grid(stage - 1), norm="batch"
    )


class HybridLayer(nn.Module):
    """x + mix(norm(x)), then x + mlp(norm(x)); [B, N, C] → [B, N, C]."""

    def __init__(self, config: HybridConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.mixer = _Convolutions(config, stage) if stage < CONV_STAGES else _WindowAttention(config, stage)
        self.intermediate = _dense(dim, config.mlp_dims[stage])
        self.gelu = nn.GELU()
        self.output = _dense(config.mlp_dims[stage], dim)
        self.layernorm_before = nn.LayerNorm(dim)
        self.layernorm_after = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(self.layernorm_before(x))
        y: Tensor = x + self.output(self.gelu(self.intermediate(self.layernorm_after(x))))
        return y


class _Convolutions(nn.Module):
    """Σ GELU(conv(x)) over the dilations; the convolutions are grouped and keep the image's size."""

    def __init__(self, config: HybridConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.grid = config.grid(stage)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(dim, dim, _KERNEL, padding=dilation, dilation=dilation, groups=CONV_GROUPS)
            for dilation in CONV_DILATIONS
        )
        self.gelu = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        image = x.transpose(1, 2).reshape(-1, x.shape[2], *self.grid)
        total: Tensor = self.gelu(self.convolutions[0](image))
        for convolution in self.convolutions[1:]:
            total = total + self.gelu(convolution(image))
        return total.flatten(2).transpose(1, 2)


class _WindowAttention(nn.Module):
    """Softmax attention of each window's tokens to themselves and to the merge tokens of their image."""

    def __init__(self, config: HybridConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.heads = config.heads[stage - CONV_STAGES]
        self.grid = config.grid(stage)
        self.window = config.window
        self.query = _dense(dim, dim)
        self.key = _dense(dim, dim)
        self.value = _dense(dim, dim)
        self.output = _dense(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        merged, _ = pool_misaligned(x, self.grid, self.window)
        source, own_tokens = torch.cat([x, merged], dim=1), x.shape[1]
        head_dim = x.shape[2] // self.heads
        query = split_windows(self.query(x), self.grid, self.window)
        key, value = (
            append_tokens(
                split_windows(projected[:, :own_tokens], self.grid, self.window),
                projected[:, own_tokens:],
                merged.shape[1],
            )
            for projected in (self.key(source), self.value(source))
        )
        query, key, value = (
            part.reshape(-1, part.shape[1], self.heads, head_dim).transpose(1, 2) for part in (query, key, value)
        )
        scores = query @ key.transpose(-1, -2) * (1 / math.sqrt(head_dim))
        context = (scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, self.window**2, x.shape[2])
        y: Tensor = self.output(join_windows(context, self.grid, self.window))
        return y


def _dense(in_features: int, out_features: int) -> nn.Linear:
    linear = nn.Linear(in_features, out_features)
    nn.init.trunc_normal_(linear.weight, std=0.02)
    nn.init.zeros_(linear.bias)
    return linear
