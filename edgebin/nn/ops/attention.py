"""Torch ops of attention on bits. They differ in how scores become an attention map of integers.

Common to all: q uint8 [B, Nq, Cb], k and v uint8 [B, Nkv, Cb] with Cb = bit_row_bytes(heads * head_dim) → context int32
[B, Nq, heads * head_dim] = Σ_j map[i, j] * (v[j] negative ? -1 : +1) in each head, exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgebin.nn.packing import unpack_signs


@torch.library.custom_op("edgebin::binary_attention", mutates_args=())
def binary_attention(
    q: Tensor, k: Tensor, v: Tensor, exp_table: Tensor, limit: Tensor, heads: int, head_dim: int
) -> Tensor:
    """Maps that compare softmax with constants, by tables: map[s, i, j] = z[i] < limit[s, head, agree[i, j]].

    agree[i, j] is the number of equal bits of q[i] and k[j], z[i] = Σ_j exp_table[agree[i, j]]. exp_table int64
    [head_dim + 1], limit int64 [maps, heads, head_dim + 1]. The maps are added up.
    """
    agree = _scores(q, k, heads, head_dim).add_(head_dim).div_(2).int()
    row_sum = exp_table.index_select(0, agree.flatten()).view_as(agree).sum(-1, keepdim=True)
    position = agree + torch.arange(heads, dtype=torch.int32, device=q.device).reshape(heads, 1, 1) * (head_dim + 1)
    limits = limit.flatten(1).index_select(1, position.flatten()).view(-1, *agree.shape)
    maps = (row_sum < limits).sum(0, dtype=torch.float32)
    return _context(maps, v, heads, head_dim)


@binary_attention.register_fake
def _(q: Tensor, k: Tensor, v: Tensor, exp_table: Tensor, limit: Tensor, heads: int, head_dim: int) -> Tensor:
    return _empty_context(q, heads, head_dim)


@torch.library.custom_op("edgebin::relative_attention", mutates_args=())
def relative_attention(q: Tensor, k: Tensor, v: Tensor, heads: int, head_dim: int, drop: int) -> Tensor:
    """A map relative to its row's largest score: map[i, j] = agree[i, j] + drop >= max over j of agree[i, j].

    agree[i, j] is the number of equal bits of q[i] and k[j].
    """
    scores = _scores(q, k, heads, head_dim)  # 2 * agree - head_dim
    maps = scores + 2 * drop >= scores.amax(-1, keepdim=True)
    return _context(maps.float(), v, heads, head_dim)


@relative_attention.register_fake
def _(q: Tensor, k: Tensor, v: Tensor, heads: int, head_dim: int, drop: int) -> Tensor:
    return _empty_context(q, heads, head_dim)


@torch.library.custom_op("edgebin::biased_attention", mutates_args=())
def biased_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: Tensor, margin: Tensor, heads: int, head_dim: int
) -> Tensor:
    """The same of scores with a bias: t = score * scale + bias, map[i, j] = t[i, j] >= max over j of t[i, j] - margin.

    score[i, j] is q[i] · k[j]. bias [G, heads, Nq, Nkv]: entry b of the batch, a multiple of G long, uses bias[b % G].
    scale and margin [1].
    """
    scores = _scores(q, k, heads, head_dim).double() * scale.double()
    grouped = scores.reshape(-1, *bias.shape)
    t = (grouped + bias.double()).to(bias.dtype).flatten(0, 1)
    maps = t >= t.amax(-1, keepdim=True) - margin
    return _context(maps.float(), v, heads, head_dim)


@biased_attention.register_fake
def _(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: Tensor, margin: Tensor, heads: int, head_dim: int
) -> Tensor:
    return _empty_context(q, heads, head_dim)


def _split(bits: Tensor, heads: int, head_dim: int) -> Tensor:
    """Bits [B, N, Cb] → ±1 [B, heads, N, head_dim]."""
    signs = unpack_signs(bits)[..., : heads * head_dim]
    return signs.reshape(*signs.shape[:2], heads, head_dim).transpose(1, 2)


def _scores(q: Tensor, k: Tensor, heads: int, head_dim: int) -> Tensor:
    """q · k of every pair of tokens: whole numbers in float32 [B, heads, Nq, Nkv]."""
    return _split(q, heads, head_dim) @ _split(k, heads, head_dim).transpose(-1, -2)


def _context(maps: Tensor, v: Tensor, heads: int, head_dim: int) -> Tensor:
    """maps · v in each head: float [B, heads, Nq, Nkv] of whole numbers → int32 [B, Nq, heads * head_dim]."""
    return (maps @ _split(v, heads, head_dim)).transpose(1, 2).flatten(2).int()


def _empty_context(q: Tensor, heads: int, head_dim: int) -> Tensor:
    return q.new_empty((q.shape[0], q.shape[1], heads * head_dim), dtype=torch.int32)
