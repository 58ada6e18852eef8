"""Torch ops on rows of channels: signs to bits, and RPReLU."""

from __future__ import annotations

import torch
from torch import Tensor

from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn.packing import pack_bits


@torch.library.custom_op("edgebin::sign_pack", mutates_args=())
def sign_pack(x: Tensor, threshold: Tensor) -> Tensor:
    """Binarises activations: x [..., C], threshold [C] → uint8 [..., bit_row_bytes(C)], bit = x < threshold."""
    return pack_bits(x < threshold)


@sign_pack.register_fake
def _(x: Tensor, threshold: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:-1], bit_row_bytes(x.shape[-1])), dtype=torch.uint8)


@torch.library.custom_op("edgebin::rprelu", mutates_args=())
def rprelu(x: Tensor, shift: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """ReAct's activation: u = x - shift; (u < 0 ? u * slope : u) + offset. x [..., C], vectors [C]."""
    rows = (x - shift).flatten(0, -2)  # PReLU's channels are axis 1
    return torch.nn.functional.prelu(rows, slope).add_(offset).view(x.shape)


@rprelu.register_fake
def _(x: Tensor, shift: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    return torch.empty_like(x)
