"""BHViT's GSB option: a {0, 1} attention map, with larger weights near the largest probability of each row."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)
from edgebin.errors import InputError
from edgebin.nn.attention import InferenceAttention, round_half_even

_SMALLEST = 1e-5
_NEAR, _NEARER = 0.7, 0.9


def graded_map(probabilities: Tensor, clip: Tensor, clip2: Tensor, clip3: Tensor) -> Tensor:
    """clip · (t0 - t1 + (t1 - t2) clip2 + t2 clip3), each clip at least 1e-5 where it multiplies.

    With u = p / clip: t0 = round(u) clamped to {0, 1}, t1 and t2 are 1 where u is more than 0.7 and 0.9 times the
    largest u of its row. t0 may be 0 where t1 is 1. Only t0 passes a gradient to p.

    Source: Gao et al., BHViT (CVPR 2025), published code, option `gsb`.
    """
    u = probabilities / clip
    t0 = round_half_even(u.clamp(0, 1))
    largest = u.amax(-1, keepdim=True)
    t1, t2 = ((u > share * largest).to(u.dtype).detach() for share in (_NEAR, _NEARER))
    weight, weight2, weight3 = (value.clamp(min=_SMALLEST) for value in (clip, clip2, clip3))
    graded: Tensor = weight * (t0 - t1 + (t1 - t2) * weight2 + t2 * weight3)
    return graded


class GradedAttention(nn.Module):
    """Inference form of attention with `graded_map`: bits → float context, to be multiplied by `gain`.

    t1 and t2 compare scores with the row's largest score, so they are attention maps of their own. A negative clip
    switches all three off.

    Raises:
        InputError: clip is exactly 0.
    """

    def __init__(self, *, heads: int, head_dim: int, clips: tuple[float, float, float]) -> None:
        super().__init__()
        clip, weight2, weight3 = clips[0], *(max(value, _SMALLEST) for value in clips[1:])
        if clip == 0:
            raise InputError("an attention map divides by a learned clip of 0", hint="give another checkpoint")
        self.heads = heads
        self.head_dim = head_dim
        self.gain = max(clip, _SMALLEST) if clip > 0 else 0.0
        self.near_weight = weight2 - 1
        self.nearer_weight = weight3 - weight2
        self.attention = InferenceAttention(head_dim=head_dim, clips=[clip] * heads)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        near, nearer = (
            torch.ops.edgebin.relative_attention(
                q, k, v, self.heads, self.head_dim, largest_drop(self.head_dim, share)
            ).to(torch.float32)
            for share in (_NEAR, _NEARER)
        )
        context: Tensor = self.attention(q, k, v).to(torch.float32)
        graded: Tensor = context + self.near_weight * near + self.nearer_weight * nearer
        return graded


def largest_drop(head_dim: int, share: float) -> int:
    """By how many agreeing bits a probability above `share` of its row's largest may fall behind it.

    One bit less lowers the score by 2: exp(-2 a / √d) > share ⇔ a < -√d ln(share) / 2.
    """
    return math.ceil(-math.sqrt(head_dim) * math.log(share) / 2) - 1
