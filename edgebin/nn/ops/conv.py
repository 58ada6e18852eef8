"""Torch op of binary convolutions."""

from __future__ import annotations

import torch
from torch import Tensor

from edgebin.nn.packing import unpack_signs


@torch.library.custom_op("edgebin::binary_conv2d", mutates_args=())
def binary_conv2d(
    bits: Tensor,
    weight: Tensor,
    scale: Tensor,
    bias: Tensor,
    kernel: int,
    dilation: int,
    groups: int,
    channels: int,
) -> Tensor:
    """Binary convolution of stride 1 that keeps the image's size: acc * scale + bias.

    The image is surrounded by zeros, not by signs: a tap outside adds nothing to acc.

    bits uint8 [B, H, W, bit_row_bytes(channels)], weight uint8 [N, bit_row_bytes(K)] whose K = kernel² * channels /
    groups bits run over (row of the kernel, column of the kernel, channel of the group), scale and bias [N] →
    [B, H, W, N]. `kernel` is odd; output channel n belongs to group n * groups // N.
    """
    group_channels = channels // groups
    taps = unpack_signs(weight)[:, : kernel**2 * group_channels].reshape(-1, kernel, kernel, group_channels)
    image = unpack_signs(bits)[..., :channels].permute(0, 3, 1, 2)
    padding = dilation * (kernel - 1) // 2
    accumulator = torch.nn.functional.conv2d(
        image, taps.permute(0, 3, 1, 2), padding=padding, dilation=dilation, groups=groups
    ).permute(0, 2, 3, 1)
    return (accumulator.double() * scale.double() + bias.double()).to(scale.dtype).contiguous()


@binary_conv2d.register_fake
def _(
    bits: Tensor,
    weight: Tensor,
    scale: Tensor,
    bias: Tensor,
    kernel: int,
    dilation: int,
    groups: int,
    channels: int,
) -> Tensor:
    return scale.new_empty((*bits.shape[:-1], weight.shape[0]))
