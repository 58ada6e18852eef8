"""Attention probabilities in two bits: three maps whose halves round to even, by integer tables and by definition."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from edgebin.errors import InputError
from edgebin.nn.attention import attend, exp_table
from edgebin.nn.decomposed_attention import ProbabilityQuantizer, decomposed_attention, level_limits
from edgebin.nn.packing import pack_bits

LARGEST = 2**63 - 1


def quantizer(alpha: list[float], zero_point: list[float]) -> ProbabilityQuantizer:
    layer = ProbabilityQuantizer(len(alpha)).double().eval()
    with torch.no_grad():
        layer.alpha.copy_(torch.tensor(alpha, dtype=torch.float64))
        layer.zero_point.copy_(torch.tensor(zero_point, dtype=torch.float64))
    return layer


def signs(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape))).sign()


@pytest.mark.parametrize(
    ("alpha", "zero_point", "level"),
    [
        (1.5, 0.0, 0),  # 3 p / alpha = 0.5, no level: strictly above
        (0.5, 0.0, 2),  # 1.5, level 2: half to even goes up
        (0.75, 1.5, 2),  # 1 + 1.5 = 2.5, level 2 and not 3
        (0.75, 2.5, 3),  # 3.5 goes to 4, clamped
        (0.75, -0.5, 0),
        (0.75, 0.5, 2),
    ],
)
def test_ties_round_half_to_even_in_both_forms(alpha: float, zero_point: float, level: int) -> None:
    """Four equal keys: every probability is exactly a quarter."""
    q = torch.ones(1, 1, 8, dtype=torch.float64)
    k = torch.ones(1, 4, 8, dtype=torch.float64)
    layer = quantizer([alpha], [zero_point])
    trained = attend(q, k, k, 1, layer)
    integers = decomposed_attention(layer, 8)(*(pack_bits(x < 0) for x in (q, k, k)))
    assert trained.flatten().tolist() == [alpha * level * 4] * 8
    assert integers.flatten().tolist() == [level * 4] * 8


@pytest.mark.parametrize(("heads", "head_dim", "queries", "keys"), [(1, 8, 1, 1), (2, 32, 7, 5), (4, 64, 53, 53)])
@pytest.mark.parametrize("share", [0.3, 1.0, 4.0])
def test_forms_agree(heads: int, head_dim: int, queries: int, keys: int, share: float) -> None:
    layer = quantizer([share * (1 + 0.37 * h) / keys for h in range(heads)], [0.1 - 0.23 * h for h in range(heads)])
    q, k, v = signs(2, queries, heads * head_dim), signs(2, keys, heads * head_dim), signs(2, keys, heads * head_dim)
    with torch.no_grad():
        trained = attend(q.double(), k.double(), v.double(), heads, layer)
        integers = decomposed_attention(layer, head_dim)(*(pack_bits(x < 0) for x in (q, k, v)))
        scaled = integers * layer.alpha.repeat_interleave(head_dim)
    assert integers.dtype == torch.int32
    torch.testing.assert_close(scaled, trained, rtol=1e-12, atol=1e-12)


@given(alpha=st.floats(1e-6, 10), zero_point=st.floats(-3, 3), agree=st.integers(0, 64))
def test_limits_are_the_exact_rounding(alpha: float, zero_point: float, agree: int) -> None:
    table = exp_table(64)
    limits = level_limits(table, alpha, zero_point)
    assert (limits.diff() >= 0).all()
    entry = int(table[agree])
    for reached, limit in enumerate(limits[:, agree].tolist(), 1):
        for row_sum in {entry, max(limit - 1, entry), max(limit, entry), max(limit + 1, entry)}:
            if row_sum < LARGEST:
                value = 3 * Fraction(entry, row_sum) / Fraction(alpha) + Fraction(zero_point)
                assert (row_sum < limit) == (round(value) >= reached)


@pytest.mark.parametrize(
    ("alpha", "zero_point", "level"), [(-0.5, 0.4, 0), (-40.0, 1.0, 1), (-40.0, 5.0, 3), (0, 0, 0)]
)
def test_negative_scales_with_constant_maps_can_be_frozen(alpha: float, zero_point: float, level: int) -> None:
    layer = quantizer([alpha], [zero_point])
    q, k = signs(1, 5, 16), torch.ones(1, 3, 16)
    with torch.no_grad():
        integers = decomposed_attention(layer, 16)(*(pack_bits(x < 0) for x in (q, k, k)))
        assert (integers == 3 * level).all()
        if alpha:
            trained = attend(q.double(), k.double(), k.double(), 1, layer)
            torch.testing.assert_close(trained, alpha * integers.double())


def test_a_negative_scale_that_cannot_be_frozen_is_refused() -> None:
    with pytest.raises(InputError, match=r"negative scale \(-0.05\)") as caught:
        decomposed_attention(quantizer([0.04, -0.05], [0.0, 1.0]), 64)
    assert caught.value.hint


def test_the_first_pass_of_a_training_sets_the_step_and_no_later_one() -> None:
    layer = ProbabilityQuantizer(2).train()
    probabilities = torch.rand(3, 2, 5, 7, generator=torch.Generator().manual_seed(0)).softmax(-1)
    layer(probabilities)
    assert float(layer.init_state) == 1
    first = layer.alpha.detach().clone()
    torch.testing.assert_close(first, torch.full((2,), 2 * 3 / 7 / 3**0.5))
    layer(probabilities.square())
    assert torch.equal(layer.alpha, first)
    untouched = ProbabilityQuantizer(2).eval()
    untouched(probabilities)
    assert untouched.alpha.tolist() == [1, 1]


def test_gradients_of_step_and_probabilities() -> None:
    """Straight through the rounding where the level is not clamped, and scaled down for the step."""
    layer = ProbabilityQuantizer(1).train()
    layer.init_state.fill_(1)
    probabilities = torch.tensor([0.1, 0.4, 1.0]).reshape(1, 1, 1, 3).requires_grad_()
    with torch.no_grad():
        layer.alpha.fill_(0.6)  # levels 0.5 → 0, 2, 5 → clamped to 3
    layer(probabilities).sum().backward()
    assert probabilities.grad is not None
    assert layer.alpha.grad is not None
    assert probabilities.grad.flatten().tolist() == pytest.approx([3, 3, 0])
    expected = ((0 - 0.5) + (2 - 2) + 3) / (3 * 3) ** 0.5
    assert float(layer.alpha.grad) == pytest.approx(expected, abs=1e-6)
