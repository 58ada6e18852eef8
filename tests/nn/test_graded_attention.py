"""BHViT's GSB option: maps relative to the largest probability of a row, in both forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from edgebin.errors import InputError
from edgebin.nn.attention import attend
from edgebin.nn.graded_attention import GradedAttention, graded_map, largest_drop
from edgebin.nn.packing import pack_bits


def signs(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).sign()


@pytest.mark.parametrize("head_dim", [8, 32, 64, 128, 248])
@pytest.mark.parametrize("share", [0.7, 0.9])
def test_largest_drop_is_the_last_that_stays_above_the_share(head_dim: int, share: float) -> None:
    drop = largest_drop(head_dim, share)
    assert math.exp(-2 * drop / math.sqrt(head_dim)) > share
    assert math.exp(-2 * (drop + 1) / math.sqrt(head_dim)) < share


def test_heads_64_wide_need_the_maximum_and_one_bit_less() -> None:
    assert (largest_drop(64, 0.9), largest_drop(64, 0.7)) == (0, 1)


@pytest.mark.parametrize(
    "clips",
    [
        (0.03, 1.2, 1.5),
        (0.4, 0.8, 0.5),
        (1e-6, 1.2, 1.5),  # the first clip is at least 1e-5 where it multiplies, not where it divides
        (0.03, -2.0, -1.0),
        (0.9, 1.0, 3.0),  # nothing is on, but for what is near the maximum: weights of t0 - t1 = -1
        (-0.03, 1.2, 1.5),
    ],
)
@pytest.mark.parametrize(("heads", "head_dim", "queries", "keys"), [(2, 64, 53, 53), (3, 32, 7, 5), (1, 8, 1, 1)])
def test_forms_agree(clips: tuple[float, float, float], heads: int, head_dim: int, queries: int, keys: int) -> None:
    width = heads * head_dim
    q, k, v = signs(0, 2, queries, width), signs(1, 2, keys, width), signs(2, 2, keys, width)
    learned = [torch.tensor(clip, dtype=torch.float64) for clip in clips]
    trained = attend(q.double(), k.double(), v.double(), heads, lambda p: graded_map(p, *learned))
    layer = GradedAttention(heads=heads, head_dim=head_dim, clips=clips)
    context = layer(*(pack_bits(x < 0) for x in (q, k, v)))
    torch.testing.assert_close(layer.gain * context.double(), trained, rtol=1e-5, atol=1e-5 * max(clips[0], 1e-5))


def test_a_clip_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match="clip of 0"):
        GradedAttention(heads=1, head_dim=64, clips=(0.0, 1.0, 1.0))


def test_scores_and_clips_learn() -> None:
    q, k, v = (signs(seed, 1, 40, 128).requires_grad_() for seed in range(3))
    clips = [torch.tensor(value, requires_grad=True) for value in (0.2, 1.2, 1.5)]
    attend(q, k, v, 2, lambda p: graded_map(p, *clips)).square().sum().backward()
    for leaf in (q, k, v, *clips):
        assert leaf.grad is not None
        assert leaf.grad.abs().sum() > 0
