"""Signs of activations and weights, with the straight-through gradients that binary networks train with.

In training form sgn(0) = 0, as `torch.sign` has it and as the published code does. The inference form has one bit per
value and no zero: 0 packs as +1 (`edgebin.nn.packing`). Only an exact zero before the sign can tell the two apart.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _ActivationSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        slope: Tensor = (2 - 2 * x.abs()).clamp(min=0)
        return gradients[0] * slope


class _BinaryWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, centred: bool) -> Tensor:
        ctx.save_for_backward(weight)
        scale = weight_scale(weight).reshape(-1, *[1] * (weight.ndim - 1))
        return scale * weight_sign(weight, centred=centred)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        return gradients[0] * (weight.abs() <= 1), None


def activation_sign(x: Tensor) -> Tensor:
    """sgn(x); its gradient is that of a piecewise quadratic: 2 + 2x on [-1, 0], 2 - 2x on (0, 1], else 0.

    Source: Liu et al., Bi-Real Net (ECCV 2018), Eq. 5-6.
    """
    result: Tensor = _ActivationSign.apply(x)  # type: ignore[no-untyped-call]
    return result


def binary_weight(weight: Tensor, *, centred: bool) -> Tensor:
    """The weight that a binary layer multiplies with, scale · sign; the gradient passes where |weight| <= 1.

    Args:
        weight: latent weights [out, ...].
        centred: whether the mean of each output channel is taken off before the sign.
    """
    result: Tensor = _BinaryWeight.apply(weight, centred)  # type: ignore[no-untyped-call]
    return result


def weight_scale(weight: Tensor) -> Tensor:
    """Mean magnitude of each output channel's latent weights, un-centred: [out, ...] → [out].

    Source: Rastegari et al., XNOR-Net (ECCV 2016), Eq. 6.
    """
    return weight.detach().flatten(1).abs().mean(1)


def weight_sign(weight: Tensor, *, centred: bool) -> Tensor:
    """sgn of the latent weights, each output channel centred first where `centred`; same shape, values -1, 0, +1."""
    weight = weight.detach()
    if centred:
        weight = weight - weight.mean(dim=tuple(range(1, weight.ndim)), keepdim=True)
    return torch.sign(weight)


class _ClippedSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        inside: Tensor = x.abs() < 1
        return gradients[0] * inside


def clipped_sign(x: Tensor) -> Tensor:
    """sgn(x); its gradient is that of the identity where |x| < 1, else 0.

    Source: He et al., BiViT (ICCV 2023), Eq. 4; Courbariaux et al., BinaryNet (2016), Sec. 1.3.
    """
    result: Tensor = _ClippedSign.apply(x)  # type: ignore[no-untyped-call]
    return result
