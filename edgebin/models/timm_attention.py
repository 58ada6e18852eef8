"""Self-attention under timm's names: binary as BiViT has it, and in full precision.

NesT is the odd one out: what its heads give is put together element by element, not head by head, so that channel
c · heads + h of the projection's input is element c of head h. Its trained projections expect that order.
Source: timm, models/nest.py, `Attention`; kept in the binary NesT, whose authors published no code.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor, nn

from edgebin.models.timm_config import NesTConfig, TimmConfig
from edgebin.nn.freeze import inference_form
from edgebin.nn.linear import PackedLinear, SignPack
from edgebin.nn.scaled_linear import ScaledBinaryLinear
from edgebin.nn.sign import clipped_sign
from edgebin.nn.softmax_aware import (
    InferenceBiasedAttention,
    InferenceSoftmaxAware,
    inference_positive_score,
    positive_score_attention,
    softmax_aware_attention,
)


def make_attention(config: TimmConfig, stage: int, window: int | None = None) -> BinarySelfAttention | SelfAttention:
    """The self-attention of a stage; with a `window` it has a relative position bias over window² tokens."""
    dim, heads = config.dims[stage], config.heads[stage]
    interleaved = isinstance(config, NesTConfig)
    if not config.is_binary:
        return SelfAttention(dim, heads, window, interleaved=interleaved)
    softmax_aware = config.attention == "softmax-aware"
    return BinarySelfAttention(dim, heads, window, softmax_aware=softmax_aware, interleaved=interleaved)


class SelfAttention(nn.Module):
    """Softmax attention [B, N, C] → [B, N, C], written as two products: the pattern that runtimes know and fuse.

    With a window and a mask [G, 1, N, N], batch entry b is masked by entry b % G.
    """

    def __init__(self, dim: int, heads: int, window: int | None, *, interleaved: bool) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.interleaved = interleaved
        self.qkv = dense_layer(dim, 3 * dim)
        self.proj = dense_layer(dim, dim)
        if window is not None:
            self.relative_position_bias_table = position_table(window, heads)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        tokens, head_dim = x.shape[1], x.shape[2] // self.heads
        query, key, value = (
            part.reshape(-1, tokens, self.heads, head_dim).transpose(1, 2) for part in self.qkv(x).chunk(3, -1)
        )
        scores = query @ key.transpose(-1, -2) * (1 / math.sqrt(head_dim))
        if self.window is not None:
            scores = scores + position_bias(self.relative_position_bias_table, self.window)
        if mask is not None:
            groups = mask.shape[0]
            scores = (scores.reshape(-1, groups, self.heads, tokens, tokens) + mask).reshape(
                -1, self.heads, tokens, tokens
            )
        context = (scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, tokens, x.shape[2])
        y: Tensor = self.proj(_interleave(context, self.heads) if self.interleaved else context)
        return y

    def inference_form(self) -> SelfAttention:
        self.interleaved = _reorder_projection(self)
        return self


class BinarySelfAttention(nn.Module):
    """BiViT's attention [B, N, C] → [B, N, C]: everything before a product is a sign, and the map is {0, 1}.

    Source: He et al., BiViT (ICCV 2023), Sec. 3; in windows the position bias and the mask are added to the scaled
    scores, which is where the full-precision Swin has them (the authors published no Swin).
    """

    def __init__(self, dim: int, heads: int, window: int | None, *, softmax_aware: bool, interleaved: bool) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.interleaved = interleaved
        self.softmax_aware = softmax_aware
        self.qkv = ScaledBinaryLinear(dim, 3 * dim, learned_scale=softmax_aware, inputs="sign")
        self.proj = ScaledBinaryLinear(dim, dim, learned_scale=softmax_aware, inputs="ternary")
        if window is not None:
            self.relative_position_bias_table = position_table(window, heads)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        q, k, v = clipped_sign(self.qkv(x)).chunk(3, -1)
        if self.softmax_aware:
            context = softmax_aware_attention(q, k, v, heads=self.heads, bias=self._bias(mask))
        else:
            context = positive_score_attention(q, k, v, heads=self.heads)
        y: Tensor = self.proj(_interleave(context, self.heads) if self.interleaved else context)
        return y

    def _bias(self, mask: Tensor | None) -> Tensor | None:
        if self.window is None:
            return None
        bias = position_bias(self.relative_position_bias_table, self.window)
        return bias if mask is None else bias + mask

    def inference_form(self) -> InferenceBinarySelfAttention:
        return self.with_mask(None)

    def with_mask(self, mask: Tensor | None) -> InferenceBinarySelfAttention:
        """The inference form for windows that are masked so."""
        self.interleaved = _reorder_projection(self)
        head_dim = self.proj.in_features // self.heads
        attention: nn.Module
        if self.window is not None:
            bias = position_bias(self.relative_position_bias_table, self.window)
            attention = InferenceBiasedAttention(bias, mask, heads=self.heads, head_dim=head_dim)
        elif self.softmax_aware:
            attention = InferenceSoftmaxAware(heads=self.heads, head_dim=head_dim)
        else:
            attention = inference_positive_score(heads=self.heads, head_dim=head_dim)
        return InferenceBinarySelfAttention(self, attention)


class InferenceBinarySelfAttention(nn.Module):
    """`BinarySelfAttention` at inference: bits all through, queries, keys and values each a layer of its own.

    A learned scale of 0 or less needs no care: the affine before the sign has it. A query, key or value of exactly 0
    counts as +1.
    """

    def __init__(self, layer: BinarySelfAttention, attention: nn.Module) -> None:
        super().__init__()
        dim = layer.proj.in_features
        self.sign = SignPack(torch.zeros(dim))
        weights, scales, biases = layer.qkv.packed_weight(), layer.qkv.scale(), layer.qkv.bias
        self.query, self.key, self.value = (
            nn.Sequential(PackedLinear(weight.clone(), scale, bias, dim), SignPack(torch.zeros(dim)))
            for weight, scale, bias in zip(weights.chunk(3), scales.chunk(3), biases.chunk(3), strict=True)
        )
        self.attention = attention
        self.proj = inference_form(layer.proj)

    def forward(self, x: Tensor) -> Tensor:
        bits = self.sign(x)
        y: Tensor = self.proj(self.attention(self.query(bits), self.key(bits), self.value(bits)))
        return y


def _interleave(context: Tensor, heads: int) -> Tensor:
    """Channels [heads · d] head by head → element by element."""
    return context.reshape(*context.shape[:2], heads, -1).transpose(-1, -2).flatten(-2)


def _reorder_projection(layer: SelfAttention | BinarySelfAttention) -> bool:
    """Moves interleaving from the context to the projection's weights; returns whether it is still to be done."""
    if layer.interleaved:
        weight = layer.proj.weight.detach()
        weight = weight.reshape(weight.shape[0], -1, layer.heads).transpose(1, 2).flatten(1)
        layer.proj.weight = nn.Parameter(weight, requires_grad=False)
    return False


def dense_layer(in_features: int, out_features: int, *, bias: bool = True) -> nn.Linear:
    """A full-precision layer, initialised as these transformers are."""
    linear = nn.Linear(in_features, out_features, bias=bias)
    nn.init.trunc_normal_(linear.weight, std=0.02)
    if bias:
        nn.init.zeros_(linear.bias)
    return linear


def position_table(window: int, heads: int) -> nn.Parameter:
    """One bias for each offset (dh, dw) of a key from its query and each head: [(2 · window - 1)², heads]."""
    table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
    nn.init.trunc_normal_(table, std=0.02)
    return table


def position_bias(table: Tensor, window: int) -> Tensor:
    """The table looked up for every query and key of a window: [1, heads, window², window²]."""
    tokens = window**2
    index = relative_position_index(window).to(table.device).flatten()
    return table.index_select(0, index).reshape(tokens, tokens, -1).permute(2, 0, 1).unsqueeze(0)


@functools.cache
def relative_position_index(window: int) -> Tensor:
    """Row of the position table for query i and key j of a window: int64 [window², window²].

    Source: Liu et al., Swin (ICCV 2021), Eq. 4; the authors' buffer of this name.
    """
    row, column = (axis.flatten() for axis in torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij"))
    vertical = row[:, None] - row[None, :] + window - 1
    horizontal = column[:, None] - column[None, :] + window - 1
    return vertical * (2 * window - 1) + horizontal
