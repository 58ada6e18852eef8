"""Binary convolutions of stride 1 with dilation and groups, padded with zeros after the sign."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)
from edgebin.nn.packing import pack_bits
from edgebin.nn.sign import binary_weight, weight_scale, weight_sign
from edgebin.nn.tokens import Grid


class BinaryConv2d(nn.Module):
    """Binary convolution on a token grid that keeps its size: signs [B, H·W, in] → [B, H·W, out].

    y_o = mean|W_o| · Σ sgn(W_o - mean W_o) · x + bias_o, both means over the group's inputs and the kernel. Outside of
    the image x is 0, neither -1 nor +1.

    Source: Gao et al., BHViT (CVPR 2025), multi-scale grouped dilated convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int, dilation: int, groups: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.kernel = kernel
        self.dilation = dilation
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, signs: Tensor, grid: Grid) -> Tensor:
        image = signs.transpose(1, 2).reshape(-1, self.in_channels, *grid)
        y = functional.conv2d(
            image,
            binary_weight(self.weight, centred=True),
            self.bias,
            padding=self.dilation * (self.kernel - 1) // 2,
            dilation=self.dilation,
            groups=self.groups,
        )
        return y.flatten(2).transpose(1, 2)

    def scale(self) -> Tensor:
        """[out] float64."""
        return weight_scale(self.weight.double())

    def packed_weight(self) -> Tensor:
        """Weight bits [out, bit row bytes of kernel² · in / groups] uint8: row, column of the kernel, then channel."""
        signs = weight_sign(self.weight.double(), centred=True)
        return pack_bits(signs.permute(0, 2, 3, 1).flatten(1) < 0)

    def inference_form(self) -> PackedConv2d:
        return PackedConv2d(self)


class PackedConv2d(nn.Module):
    """Inference form of `BinaryConv2d`: bits [B, H·W, Cb] → f32 [B, H·W, out]."""

    weight: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, layer: BinaryConv2d) -> None:
        super().__init__()
        self.channels = layer.in_channels
        self.kernel = layer.kernel
        self.dilation = layer.dilation
        self.groups = layer.groups
        self.register_buffer("weight", layer.packed_weight())
        self.register_buffer("scale", layer.scale().float())
        self.register_buffer("bias", layer.bias.detach().float())

    def forward(self, bits: Tensor, grid: Grid) -> Tensor:
        image = bits.reshape(-1, *grid, bits.shape[-1])
        y: Tensor = torch.ops.edgebin.binary_conv2d(
            image, self.weight, self.scale, self.bias, self.kernel, self.dilation, self.groups, self.channels
        )
        return y.reshape(-1, bits.shape[1], self.weight.shape[0])
