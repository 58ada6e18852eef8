"""Binary dense layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)
from edgebin.nn.packing import pack_bits
from edgebin.nn.sign import binary_weight, weight_scale, weight_sign


class BinaryLinear(nn.Module):
    """Dense layer on signs: y_o = mean|W_o| · Σ_i sgn(W_oi - mean W_o) · x_i, without a bias.

    The scale is a function of the latent weights, so checkpoints hold no scale tensor.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, signs: Tensor) -> Tensor:
        return functional.linear(signs, binary_weight(self.weight, centred=True))

    def scale(self) -> Tensor:
        """[out] float64."""
        return weight_scale(self.weight.double())

    def packed_weight(self) -> Tensor:
        """Weight bits [out, bit row bytes of in] uint8; a weight equal to its channel's mean packs as +1."""
        return pack_bits(weight_sign(self.weight.double(), centred=True) < 0)


class PackedLinear(nn.Module):
    """Inference form of a binary layer: bits [..., Kb] → (integer sum over k bits) · scale + bias, f32 [..., out].

    Args:
        weight: packed weights [out, Kb] uint8.
        scale, bias: [out], any float type; rounded once to float32 here.
        k: number of bits that count; the others are padding and zero in activations and weights.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> None:
        super().__init__()
        self.k = k
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale.detach().float())
        self.register_buffer("bias", bias.detach().float())

    def forward(self, bits: Tensor) -> Tensor:
        y: Tensor = torch.ops.edgebin.binary_linear(bits, self.weight, self.scale, self.bias, self.k)
        return y


class SignPack(nn.Module):
    """Inference form of sgn(x + move): bits of x < -move, which is the same comparison in IEEE arithmetic."""

    threshold: Tensor

    def __init__(self, move: Tensor) -> None:
        super().__init__()
        self.register_buffer("threshold", -move.detach().float().flatten())

    def forward(self, x: Tensor) -> Tensor:
        bits: Tensor = torch.ops.edgebin.sign_pack(x, self.threshold)
        return bits
