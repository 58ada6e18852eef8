"""The integer tables of binary attention against exact arithmetic, and the two forms against each other."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgebin.nn.attention import (
    EXP_FRACTION_BITS,
    MAX_KEY_TOKENS,
    InferenceAttention,
    binary_attention,
    exp_table,
    map_limits,
)
from edgebin.nn.packing import pack_bits

HEAD_DIMS = [8, 16, 32, 64, 248]


@pytest.mark.parametrize("head_dim", HEAD_DIMS)
def test_table_is_softmax_of_the_scores(head_dim: int) -> None:
    table = exp_table(head_dim)
    scores = torch.arange(-head_dim, head_dim + 1, 2).double() / math.sqrt(head_dim)
    torch.testing.assert_close(table.double() / table.sum(), scores.softmax(0), rtol=1e-9, atol=1e-14)
    assert (table.diff() >= 0).all()
    assert table[-1] == 2**EXP_FRACTION_BITS


def test_sums_of_the_most_tokens_fit_in_64_bits() -> None:
    assert int(exp_table(64).max()) * MAX_KEY_TOKENS < 2**63


@given(clip=st.floats(1e-12, 10), head_dim=st.sampled_from(HEAD_DIMS), data=st.data())
def test_limit_is_the_exact_half_of_clip(clip: float, head_dim: int, data: st.DataObject) -> None:
    table = exp_table(head_dim)
    limits = map_limits(table, clip)
    assert (limits.diff() >= 0).all()
    agree = data.draw(st.integers(0, head_dim))
    entry, limit = int(table[agree]), int(limits[agree])
    for row_sum in {max(entry, 1), max(limit - 1, 1), limit, min(limit + 1, 2**63 - 1)}:
        if row_sum < 2**63 - 1:  # a limit clamped to the largest integer is above every sum
            above_half = Fraction(entry, row_sum) > Fraction(clip) / 2 if row_sum else False
            assert (row_sum < limit) == above_half


@pytest.mark.parametrize("clip", [0.0, -0.005])
def test_a_clip_that_is_not_positive_gives_no_context_in_either_form(clip: float) -> None:
    signs = [torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(i)).sign() for i in range(3)]
    trained = binary_attention(*signs, clip=torch.tensor(clip), heads=2)
    integers = InferenceAttention(head_dim=8, clips=[clip, clip])(*(pack_bits(x < 0) for x in signs))
    assert (trained == 0).all()
    assert (integers * clip == 0).all()


@pytest.mark.parametrize(("heads", "head_dim", "queries", "keys"), [(1, 8, 1, 1), (2, 32, 7, 5), (3, 64, 50, 49)])
def test_forms_agree(heads: int, head_dim: int, queries: int, keys: int) -> None:
    generator = torch.Generator().manual_seed(heads)
    width = heads * head_dim
    q, k, v = (torch.randn(2, n, width, generator=generator).sign() for n in (queries, keys, keys))
    for clip in (0.01, 1.3 / keys, 0.9):
        trained = binary_attention(q.double(), k.double(), v.double(), clip=torch.tensor(clip).double(), heads=heads)
        exact_clip = torch.tensor(clip).double().item()
        layer = InferenceAttention(head_dim=head_dim, clips=[exact_clip] * heads)
        integers = layer(*(pack_bits(x < 0) for x in (q, k, v)))
        assert integers.dtype == torch.int32
        torch.testing.assert_close(integers.double() * exact_clip, trained, rtol=1e-12, atol=1e-12)


def test_clip_and_scores_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 6, 16, generator=generator, requires_grad=True) for _ in range(3))
    clip = torch.tensor(0.2, requires_grad=True)
    binary_attention(q, k, v, clip=clip, heads=2).square().sum().backward()
    for leaf in (q, k, v, clip):
        assert leaf.grad is not None
        assert leaf.grad.abs().sum() > 0
