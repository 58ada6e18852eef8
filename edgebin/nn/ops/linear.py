"""Torch ops of dense layers with 1-bit weights: on signs, on signs with zeros, and on floats."""

from __future__ import annotations

import torch
from torch import Tensor

from edgebin.nn.packing import unpack_signs


@torch.library.custom_op("edgebin::binary_linear", mutates_args=())
def binary_linear(bits: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    """Binary dense layer: (k - 2 * popcount(bits ^ weight)) * scale + bias.

    bits uint8 [..., Kb], weight uint8 [N, Kb] with Kb = bit_row_bytes(k), scale and bias [N] → [..., N].
    """
    return _scaled_product(unpack_signs(bits), weight, scale, bias, k)


@binary_linear.register_fake
def _(bits: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    return scale.new_empty((*bits.shape[:-1], weight.shape[0]))


@torch.library.custom_op("edgebin::ternary_linear", mutates_args=())
def ternary_linear(
    negative: Tensor, not_positive: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int
) -> Tensor:
    """Dense layer of ±1 weights on activations in {-1, 0, +1}, given as the bits of x < 0 and of x <= 0.

    (k - popcount(negative ^ weight) - popcount(not_positive ^ weight)) * scale + bias, with both planes uint8
    [..., Kb], weight uint8 [N, Kb], Kb = bit_row_bytes(k), scale and bias [N] → [..., N].
    """
    signs = (unpack_signs(negative) + unpack_signs(not_positive)).div_(2)
    return _scaled_product(signs, weight, scale, bias, k)


@ternary_linear.register_fake
def _(negative: Tensor, not_positive: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    return scale.new_empty((*negative.shape[:-1], weight.shape[0]))


@torch.library.custom_op("edgebin::signed_linear", mutates_args=())
def signed_linear(x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    """Dense layer of ±1 weights on floats: (Σ_p ±x_p) * scale + bias, all of it in float64 and rounded once.

    x [..., k], weight uint8 [N, bit_row_bytes(k)], scale and bias [N] → [..., N].
    """
    signs = unpack_signs(weight, torch.float64)[:, :k]
    return (x.double() @ signs.T).mul_(scale.double()).add_(bias.double()).to(scale.dtype)


@signed_linear.register_fake
def _(x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    return scale.new_empty((*x.shape[:-1], weight.shape[0]))


def _scaled_product(signs: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    """(signs · weight over the first k columns) * scale + bias; padding columns of `signs` are +1."""
    padding_bits = 8 * weight.shape[-1] - k  # each is +1 in both operands
    product = (signs @ unpack_signs(weight).T).double()
    return product.sub_(padding_bits).mul_(scale.double()).add_(bias.double()).to(scale.dtype)
