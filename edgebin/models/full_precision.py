"""The full-precision twin: what one would deploy had one not binarised, as the baseline of every comparison.

A plain pre-norm vision transformer of the same shape, without the shortcuts and activations that only binary layers
need. For a single stage its parameters are named as in Hugging Face's ViT, which is also what the binary models'
published full-precision teachers use.

Source: Dosovitskiy et al., ViT (ICLR 2021); Touvron et al., DeiT (ICML 2021); for pooled keys and values Wang et al.,
PVT v2 (CVMJ 2022), Sec. 3.2.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from edgebin.models.classifier import Classifier, Encoder
from edgebin.models.config import ViTConfig
from edgebin.models.downsampling import FullPrecisionDownsampling
from edgebin.models.embeddings import Embeddings
from edgebin.nn.tokens import pool_windows

# Hugging Face's ViT and DeiT; source: transformers, ViTConfig.layer_norm_eps.
_EPS = 1e-12


class ViT(Classifier):
    """Images [B, channels, image_size, image_size] float → logits [B, classes]."""

    def __init__(self, config: ViTConfig) -> None:
        encoder = Encoder(config, ViTLayer, _downsampling)
        norm = nn.LayerNorm(config.dims[-1], eps=_EPS)
        super().__init__(
            config, embeddings=Embeddings(config), encoder=encoder, norm=norm, class_token=config.class_token
        )


def _downsampling(config: ViTConfig, stage: int) -> nn.Module:
    return FullPrecisionDownsampling(
        config.dims[stage - 1], config.dims[stage], grid=config.grid(stage - 1), norm="batch"
    )


class ViTLayer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); [B, N, C] → [B, N, C]."""

    def __init__(self, config: ViTConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.attention = _Attention(config, stage)
        self.intermediate = _Dense(dim, config.mlp_dims[stage])
        self.gelu = nn.GELU()
        self.output = _Dense(config.mlp_dims[stage], dim)
        self.layernorm_before = nn.LayerNorm(dim, eps=_EPS)
        self.layernorm_after = nn.LayerNorm(dim, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.layernorm_before(x))
        y: Tensor = x + self.output(self.gelu(self.intermediate(self.layernorm_after(x))))
        return y


class _Attention(nn.Module):
    def __init__(self, config: ViTConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.attention = _SelfAttention(config, stage)
        self.output = _Dense(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.output(self.attention(x))
        return y


class _SelfAttention(nn.Module):
    """Softmax attention, written as two products: that exports to the pattern that runtimes know and fuse."""

    def __init__(self, config: ViTConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.heads = config.heads[stage]
        self.grid = config.grid(stage)
        self.reduction_ratio = config.reductions[stage]
        self.query = _dense(dim, dim)
        self.key = _dense(dim, dim)
        self.value = _dense(dim, dim)
        if self.reduction_ratio > 1:
            self.reduction = _dense(dim, dim)
            self.norm_r = nn.LayerNorm(dim, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        source = x
        if self.reduction_ratio > 1:
            source = self.norm_r(self.reduction(pool_windows(x, self.grid, self.reduction_ratio)))
        head_dim = x.shape[-1] // self.heads
        query, key, value = (
            projected.reshape(-1, projected.shape[1], self.heads, head_dim).transpose(1, 2)
            for projected in (self.query(x), self.key(source), self.value(source))
        )
        scores = query @ key.transpose(-1, -2) * (1 / math.sqrt(head_dim))
        context: Tensor = scores.softmax(-1) @ value
        return context.transpose(1, 2).reshape(-1, x.shape[1], x.shape[2])


class _Dense(nn.Module):
    """A dense layer under the name `dense`."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.dense = _dense(in_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(x)
        return y


def _dense(in_features: int, out_features: int) -> nn.Linear:
    linear = nn.Linear(in_features, out_features)
    nn.init.trunc_normal_(linear.weight, std=0.02)
    nn.init.zeros_(linear.bias)
    return linear
