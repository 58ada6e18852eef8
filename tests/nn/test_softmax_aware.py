"""BiViT's attention maps: without softmax, the same as with it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from edgebin.nn.packing import pack_bits
from edgebin.nn.softmax_aware import (
    InferenceBiasedAttention,
    InferenceSoftmaxAware,
    inference_positive_score,
    map_drop,
    positive_score_attention,
    softmax_aware_attention,
)


def signs(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).sign().double()


def operands(batch: int, tokens: int, width: int) -> list[Tensor]:
    return [signs(batch, tokens, width, seed=seed) for seed in range(3)]


def bits(x: list[Tensor]) -> list[Tensor]:
    return [pack_bits(value < 0) for value in x]


@pytest.mark.parametrize("head_dim", [8, 32, 64, 248])
def test_drop_is_where_a_quarter_of_the_largest_probability_lies(head_dim: int) -> None:
    """Every score against the best one by exp, and none so near the limit that rounding could decide."""
    for below in range(head_dim + 1):
        share = math.exp(-2 * below / math.sqrt(head_dim))
        assert (share >= 0.25) == (below <= map_drop(head_dim))
        assert abs(share - 0.25) > 1e-6
    assert (map_drop(64), map_drop(32)) == (5, 3)


@pytest.mark.parametrize(("heads", "head_dim", "tokens"), [(1, 8, 1), (3, 32, 49), (3, 64, 197), (2, 248, 5)])
def test_forms_agree(heads: int, head_dim: int, tokens: int) -> None:
    x = operands(2, tokens, heads * head_dim)
    context = InferenceSoftmaxAware(heads=heads, head_dim=head_dim)(*bits(x))
    assert context.dtype == torch.int32
    torch.testing.assert_close(context.double(), softmax_aware_attention(*x, heads=heads), rtol=0, atol=1e-9)


@pytest.mark.parametrize("masked", [True, False])
def test_forms_agree_with_position_bias_and_masked_windows(masked: bool) -> None:
    """Four windows of each of two images: the mask differs from window to window, the bias from head to head."""
    heads, head_dim, tokens = 3, 32, 16
    generator = torch.Generator().manual_seed(5)
    bias = torch.randn(1, heads, tokens, tokens, generator=generator)
    mask = torch.where(torch.rand(4, 1, tokens, tokens, generator=generator) < 0.5, -100.0, 0.0)
    mask = torch.maximum(mask, torch.where(torch.eye(tokens) > 0, 0.0, -100.0))  # a token sees itself
    x = operands(8, tokens, heads * head_dim)
    form = InferenceBiasedAttention(bias, mask if masked else None, heads=heads, head_dim=head_dim)
    total = bias + mask if masked else bias
    expected = softmax_aware_attention(*x, heads=heads, bias=total.double())
    torch.testing.assert_close(form(*bits(x)).double(), expected, rtol=0, atol=1e-9)
    if masked:
        other = softmax_aware_attention(*x, heads=heads, bias=(bias + mask.flip(0)).double())
        assert (other != expected).any()


def test_baseline_switches_off_scores_of_zero() -> None:
    """Half of the bits agree: the score is 0, and [0 > 0] is off."""
    q = torch.ones(1, 1, 8).double()
    k = torch.ones(1, 3, 8).double()
    k[0, 0, :4] = -1  # score 0
    k[0, 1, :3] = -1  # score 2
    k[0, 2, :5] = -1  # score -2
    v = signs(1, 3, 8)
    for context in (
        positive_score_attention(q, k, v, heads=1),
        inference_positive_score(heads=1, head_dim=8)(*bits([q, k, v])),
    ):
        assert torch.equal(context.double(), v[:, 1:2])


@pytest.mark.parametrize(("heads", "head_dim", "tokens"), [(1, 8, 3), (3, 64, 197)])
def test_forms_of_the_baseline_agree(heads: int, head_dim: int, tokens: int) -> None:
    x = operands(2, tokens, heads * head_dim)
    context = inference_positive_score(heads=heads, head_dim=head_dim)(*bits(x))
    assert torch.equal(context.double(), positive_score_attention(*x, heads=heads))


def test_gradient_of_the_map_is_that_of_the_softmax() -> None:
    x = [value.requires_grad_() for value in operands(1, 6, 16)]
    weights = torch.randn(1, 6, 16, generator=torch.Generator().manual_seed(9)).double()
    (softmax_aware_attention(*x, heads=2) * weights).sum().backward()
    q, k, v = (value.detach().clone().requires_grad_() for value in x)
    heads = [t.reshape(1, 6, 2, 8).transpose(1, 2) for t in (q, k, v)]
    probabilities = (heads[0] @ heads[1].transpose(-1, -2) / math.sqrt(8)).softmax(-1)
    context = (probabilities @ heads[2].detach()).transpose(1, 2).flatten(2)
    (context * weights).sum().backward()
    for got, expected in zip(x[:2], (q, k), strict=True):
        assert got.grad is not None
        assert expected.grad is not None
        torch.testing.assert_close(got.grad, expected.grad)
    assert x[2].grad is not None
    assert x[2].grad.abs().sum() > 0
