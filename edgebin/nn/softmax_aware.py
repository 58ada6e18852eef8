"""BiViT's attention: signs of queries, keys and values, and a {0, 1} map of where softmax is near its row's maximum.

The map needs no softmax. With scores t, softmax(t)_j >= β · max softmax(t) ⇔ t_j >= max t - ln(1/β): the row's sum
cancels. Without a position bias t is an integer over √d, and the comparison is one of integers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)
from edgebin.nn.attention import InferenceAttention

# Share of the row's largest probability from which on an entry is kept.
# Source: He et al., BiViT (ICCV 2023), Sec. 3.1: a shift by two bits; accuracy is the same from 0.25 to 0.45.
MAP_SHARE = 0.25
_INT64_MAX = 2**63 - 1


def softmax_aware_attention(q: Tensor, k: Tensor, v: Tensor, *, heads: int, bias: Tensor | None = None) -> Tensor:
    """Training form: [A >= MAP_SHARE · max A] · v with A = softmax(q·kᵀ / √d + bias), for each head of width d.

    The map passes its gradient on to A, and so through the softmax.

    Args:
        q, k, v: signs [batch, tokens, heads · d].
        bias: [groups, heads, queries, keys] where there is one; batch entry b takes group b % groups.

    Returns:
        Context, integers, [batch, queries, heads · d].

    Source: He et al., BiViT (ICCV 2023), Eq. 11-13.
    """
    scores = _scores(q, k, heads)
    if bias is not None:
        scores = (scores.reshape(-1, *bias.shape[:1], *scores.shape[1:]) + bias).flatten(0, 1)
    probabilities = scores.softmax(-1)
    kept = probabilities >= MAP_SHARE * probabilities.amax(-1, keepdim=True)
    return _context(kept.to(v.dtype) + (probabilities - probabilities.detach()), v, heads)


def positive_score_attention(q: Tensor, k: Tensor, v: Tensor, *, heads: int) -> Tensor:
    """Training form of BiViT's baseline: [q·kᵀ > 0] · v; the map passes its gradient where |q·kᵀ| / √d < 1.

    Source: Qin et al., BiBERT (ICLR 2022), Eq. 9, as He et al. use it for comparison.
    """
    scores = _scores(q, k, heads)
    passed = torch.where(scores.abs() < 1, scores, scores.detach())
    return _context((scores > 0).to(v.dtype) + (passed - passed.detach()), v, heads)


def map_drop(head_dim: int) -> int:
    """By how many agreeing bits at most a kept score lies below its row's best: ⌊√d · ln(1 / MAP_SHARE) / 2⌋.

    The score of a agreeing bits is 2a - d, hence the half.
    """
    return math.floor(math.sqrt(head_dim) * -math.log(MAP_SHARE) / 2)


class InferenceSoftmaxAware(nn.Module):
    """Inference form without a bias: bits [B, tokens, Cb] → the integer context int32 [B, Nq, C]."""

    def __init__(self, *, heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_dim = head_dim
        self.drop = map_drop(head_dim)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        context: Tensor = torch.ops.edgebin.relative_attention(q, k, v, self.heads, self.head_dim, self.drop)
        return context


class InferenceBiasedAttention(nn.Module):
    """Inference form with a position bias [1, heads, Nq, Nkv] and a mask of windows [G, 1, Nq, Nkv] where there is one.

    The two stay apart, their sum being G times as large as both: the graph adds them.
    """

    bias: Tensor
    mask: Tensor | None
    scale: Tensor
    margin: Tensor

    def __init__(self, bias: Tensor, mask: Tensor | None, *, heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_dim = head_dim
        self.register_buffer("bias", bias.detach().float())
        self.register_buffer("mask", None if mask is None else mask.float())
        self.register_buffer("scale", torch.tensor([1 / math.sqrt(head_dim)]))
        self.register_buffer("margin", torch.tensor([-math.log(MAP_SHARE)]))

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        bias = self.bias if self.mask is None else self.bias + self.mask
        context: Tensor = torch.ops.edgebin.biased_attention(
            q, k, v, bias, self.scale, self.margin, self.heads, self.head_dim
        )
        return context


def inference_positive_score(*, heads: int, head_dim: int) -> InferenceAttention:
    """Inference form of `positive_score_attention`: tables that switch on just where more than half of the bits agree.

    Whatever a row's sum is, it lies below the largest integer and not below zero.
    """
    form = InferenceAttention(head_dim=head_dim, clips=[1.0] * heads)
    agree = torch.arange(head_dim + 1).expand_as(form.limit)
    form.limit = torch.where(2 * agree > head_dim, _INT64_MAX, torch.zeros_like(form.limit))
    return form


def _scores(q: Tensor, k: Tensor, heads: int) -> Tensor:
    """q·kᵀ / √d, [batch, heads, queries, keys]."""
    query, key = _split(q, heads), _split(k, heads)
    return query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])


def _context(maps: Tensor, v: Tensor, heads: int) -> Tensor:
    return (maps @ _split(v, heads)).transpose(1, 2).flatten(2)


def _split(x: Tensor, heads: int) -> Tensor:
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)
