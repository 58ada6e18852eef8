"""Binary attention: signs of queries, keys and values, and an attention map of {0, clip}."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor, nn

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)

# exp(0) in the integer tables is 2**48: sums over up to 2**14 tokens fit in int64, and the smallest entry of a head 64
# wide, exp(-16), keeps 25 bits.
EXP_FRACTION_BITS = 48
MAX_KEY_TOKENS = 2 ** (62 - EXP_FRACTION_BITS)
_INT64_MAX = 2**63 - 1


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        return gradients[0]


def binary_attention(q: Tensor, k: Tensor, v: Tensor, *, clip: Tensor, heads: int) -> Tensor:
    """Training form: clip · round(clamp(softmax(q·kᵀ / √d) / clip, 0, 1)) · v for each head of width d.

    `round` passes its gradient on; the clamp stops it outside [0, 1]; clip learns from both of its places. Rounding
    goes half to even, so a probability of exactly half of clip gives 0.

    Args:
        q: signs [batch, queries, heads · d].
        k, v: signs [batch, keys, heads · d].
        clip: a learned scalar.

    Returns:
        Context [batch, queries, heads · d].

    Source: Liu et al., BiT (NeurIPS 2022), Eq. 6-9, as BinaryViT uses it for attention probabilities.
    """
    return attend(q, k, v, heads, lambda probabilities: clip * round_half_even((probabilities / clip).clamp(0, 1)))


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, binarise: Callable[[Tensor], Tensor]) -> Tensor:
    """binarise(softmax(q·kᵀ / √d)) · v for each head of width d, [batch, tokens, heads · d] all.

    Args:
        binarise: from probabilities [batch, heads, queries, keys] to the map that is used.
    """
    query, key, value = (x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in (q, k, v))
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    context: Tensor = binarise(scores.softmax(-1)) @ value
    return context.transpose(1, 2).flatten(2)


def round_half_even(x: Tensor) -> Tensor:
    """torch.round, whose gradient is that of the identity."""
    rounded: Tensor = _Round.apply(x)  # type: ignore[no-untyped-call]
    return rounded


def exp_table(head_dim: int) -> Tensor:
    """exp(score / √d - √d) for each number of agreeing bits 0 … d, in units of 2^-48: int64 [d + 1], rising.

    The score of a agreeing bits is 2a - d. The largest score is taken off, so the last entry is 1.
    """
    root = math.sqrt(head_dim)
    values = [math.exp((2 * agree - 2 * head_dim) / root) for agree in range(head_dim + 1)]
    return torch.tensor([round(math.ldexp(value, EXP_FRACTION_BITS)) for value in values], dtype=torch.int64)


def map_limits(table: Tensor, clip: float) -> Tensor:
    """The row sum below which a score's probability is more than half of clip: int64, shape of `table`, not falling.

    With e the score's table entry and z its row's sum, e / z > clip / 2 ⇔ z < 2e / clip ⇔ z < ceil(2e / clip), worked
    out in rational arithmetic. A clip below 0 switches every entry off, as rounding a negative quotient does; with a
    clip of 0 the map does not matter, since it is multiplied by clip.
    """
    if clip <= 0:
        return torch.zeros_like(table)
    exact = Fraction(clip)
    limits = (min(math.ceil(2 * entry / exact), _INT64_MAX) for entry in table.tolist())
    return torch.tensor(list(limits), dtype=torch.int64)


class TableAttention(nn.Module):
    """Attention on bits [B, tokens, Cb] whose maps compare softmax with constants → integer context, int32 [B, Nq, C].

    Args:
        head_dim: width of a head.
        limit: int64 [maps, heads, head_dim + 1], below which row sum each score is on.
    """

    exp_table: Tensor
    limit: Tensor

    def __init__(self, *, head_dim: int, limit: Tensor) -> None:
        super().__init__()
        self.heads = limit.shape[1]
        self.head_dim = head_dim
        self.register_buffer("exp_table", exp_table(head_dim))
        self.register_buffer("limit", limit)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        context: Tensor = torch.ops.edgebin.binary_attention(
            q, k, v, self.exp_table, self.limit, self.heads, self.head_dim
        )
        return context


class InferenceAttention(TableAttention):
    """Inference form of `binary_attention`; whoever uses the context multiplies it by clip.

    Args:
        clips: one clip of each head.
    """

    def __init__(self, *, head_dim: int, clips: list[float]) -> None:
        table = exp_table(head_dim)
        limit = torch.stack([map_limits(table, clip) for clip in clips]).unsqueeze(0)
        super().__init__(head_dim=head_dim, limit=limit)
