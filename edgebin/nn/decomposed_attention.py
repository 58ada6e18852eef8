"""BHViT's quantization decomposition: attention probabilities in two bits, used as a sum of three {0, 1} maps."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from edgebin.errors import InputError
from edgebin.nn.attention import TableAttention, exp_table, round_half_even

LEVELS = 3
_INT64_MAX = 2**63 - 1


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.scale, None


class ProbabilityQuantizer(nn.Module):
    """alpha · clamp(round(3 p / alpha + zero_point), 0, 3) of attention probabilities p, alpha and zero_point per head.

    Rounding goes half to even and passes its gradient on; alpha and zero_point learn with a step scaled down by the
    number of values. In the first pass of a training alpha is set from the probabilities. The inference form is
    `decomposed_attention`.

    Source: Gao et al., BHViT (CVPR 2025), quantization decomposition, as its published code learns it; gradient scale
    and first step size: Esser et al., LSQ (ICLR 2020), Sec. 2.1 and 2.2.
    """

    init_state: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.alpha = nn.Parameter(torch.ones(heads))
        self.zero_point = nn.Parameter(torch.zeros(heads))
        self.register_buffer("init_state", torch.zeros(1))

    def forward(self, probabilities: Tensor) -> Tensor:
        """[B, heads, queries, keys] → the same shape."""
        if self.training and not self.init_state:
            with torch.no_grad():
                self.alpha.copy_(2 * LEVELS * probabilities.mean((0, 2, 3)) / math.sqrt(LEVELS))
                self.init_state.fill_(1)
        scale = self.heads / math.sqrt(probabilities.numel() * LEVELS)
        alpha, zero_point = (
            _ScaleGradient.apply(value, scale).reshape(-1, 1, 1)  # type: ignore[no-untyped-call]
            for value in (self.alpha, self.zero_point)
        )
        levels = round_half_even(LEVELS * probabilities / alpha + zero_point).clamp(0, LEVELS)
        quantized: Tensor = alpha * levels
        return quantized


def decomposed_attention(quantizer: ProbabilityQuantizer, head_dim: int) -> TableAttention:
    """Inference form of attention with `quantizer`; each head's integer context is yet to be multiplied by its alpha.

    Raises:
        InputError: an alpha is negative, and its maps are neither constant nor a threshold from below.
    """
    table = exp_table(head_dim)
    pairs = zip(quantizer.alpha.tolist(), quantizer.zero_point.tolist(), strict=True)
    limits = [level_limits(table, alpha, zero_point) for alpha, zero_point in pairs]
    return TableAttention(head_dim=head_dim, limit=torch.stack(limits, dim=1))


def level_limits(table: Tensor, alpha: float, zero_point: float) -> Tensor:
    """The row sums below which a score's probability reaches level 1, 2 and 3: int64 [3, len(table)].

    With e the score's table entry and z its row's sum, map s is on where 3 e / (z alpha) + zero_point rounds to s or
    more. Halves round to even: exactly s - 1/2 counts for s = 2 and does not for s = 1 and 3. In rational arithmetic.

    Raises:
        InputError: alpha is negative and a map would need a row sum above a limit.
    """
    return torch.stack([_limits_of_level(table, Fraction(alpha), Fraction(zero_point), s) for s in (1, 2, 3)])


def _limits_of_level(table: Tensor, alpha: Fraction, zero_point: Fraction, level: int) -> Tensor:
    threshold = level - Fraction(1, 2) - zero_point  # on where 3 e / (z alpha) is above
    never, always = torch.zeros_like(table), torch.full_like(table, _INT64_MAX)
    if alpha == 0:
        return never  # the map is multiplied by alpha
    if alpha < 0:
        if threshold >= 0:
            return never
        if Fraction(3) / alpha > threshold:  # even for a probability of 1
            return always
        raise InputError(
            f"the attention quantizer has learned a negative scale ({float(alpha):g}), which switches on small "
            "probabilities: binary kernels cannot",
            hint="train with alpha kept positive, or give another checkpoint",
        )
    if threshold <= 0:
        return always
    counts_when_equal = level % 2 == 0
    limits = []
    for entry in table.tolist():
        largest = 3 * entry / (alpha * threshold)
        limit = math.floor(largest) + 1 if counts_when_equal else math.ceil(largest)
        limits.append(min(limit, _INT64_MAX))
    return torch.tensor(limits, dtype=torch.int64)
