"""BiViT's dense layers of binary weights: with a bias, a scale that may be learned, on signs or on floats."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)
from edgebin.nn.linear import PackedLinear, SignPack
from edgebin.nn.packing import pack_bits
from edgebin.nn.sign import clipped_sign, weight_scale, weight_sign

InputKind = Literal["sign", "ternary", "float"]


class _SignOfWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        return weight_sign(weight, centred=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (weight,) = ctx.saved_tensors
        inside: Tensor = weight.abs() <= 1
        return gradients[0] * inside


class ScaledBinaryLinear(nn.Module):
    """y_o = s_o · Σ_i sgn(W_oi - mean W_o) · x_i + b_o, where x is first turned into signs unless it stays `float`.

    Args:
        in_features, out_features: widths.
        learned_scale: s is the parameter `scaling_factor` [out, 1] (BiViT's PWS), which may become negative or zero;
            otherwise it is mean|W_o| (BiViT's STE).
        inputs: "sign" and "ternary" binarise x, and sgn(0) = 0 in this form; at inference "sign" has one bit per value
            and takes 0 for +1, which is right for inputs that are never exactly 0, and "ternary" keeps the zeros, for
            inputs that are small integers. "float" uses x as it is (W1A32).

    Source: He et al., BiViT (ICCV 2023), Sec. 3.2 and 3.3, "parameterized weight scales"; the authors' code.
    """

    def __init__(self, in_features: int, out_features: int, *, learned_scale: bool, inputs: InputKind) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.inputs = inputs
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.trunc_normal_(self.weight, std=0.02)
        if learned_scale:
            self.scaling_factor = nn.Parameter(torch.empty(out_features, 1))
            self.reset_scale()

    def reset_scale(self) -> None:
        """Starts a learned scale from mean|W_o|: after loading weights of full precision, say."""
        if hasattr(self, "scaling_factor"):
            with torch.no_grad():
                self.scaling_factor.copy_(weight_scale(self.weight).unsqueeze(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x if self.inputs == "float" else clipped_sign(x))

    def product(self, x: Tensor) -> Tensor:
        """The layer on inputs that are signs already, or stay floats."""
        signs: Tensor = _SignOfWeight.apply(self.weight)  # type: ignore[no-untyped-call]
        return functional.linear(x, self._scale(self.weight).unsqueeze(1) * signs, self.bias)

    def _scale(self, weight: Tensor) -> Tensor:
        return self.scaling_factor.squeeze(1) if hasattr(self, "scaling_factor") else weight_scale(weight)

    def scale(self) -> Tensor:
        """[out] float64."""
        return self._scale(self.weight.detach().double()).detach().double()

    def packed_weight(self) -> Tensor:
        """Weight bits [out, bit row bytes of in] uint8; a weight equal to its channel's mean packs as +1."""
        return pack_bits(weight_sign(self.weight.double(), centred=True) < 0)

    def inference_form(self) -> nn.Module:
        weight, scale = self.packed_weight(), self.scale()
        if self.inputs == "float":
            return SignedLinear(weight, scale, self.bias, self.in_features)
        if self.inputs == "ternary":
            return TernaryLinear(weight, scale, self.bias, self.in_features)
        return nn.Sequential(
            SignPack(torch.zeros(self.in_features)), PackedLinear(weight, scale, self.bias, self.in_features)
        )


class SignedLinear(PackedLinear):
    """Inference form on floats: x [..., k] f32 → (Σ ±x) · scale + bias, f32 [..., out]."""

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.edgebin.signed_linear(x, self.weight, self.scale, self.bias, self.k)
        return y


class TernaryLinear(PackedLinear):
    """Inference form on integers [..., k], int32 or f32: signs with sgn(0) = 0, exact; f32 [..., out].

    Two bit planes say which of -1, 0, +1 it is: x < 0, and x < 1/2, which for integers is x <= 0.
    """

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> None:
        super().__init__(weight, scale, bias, k)
        self.negative = SignPack(torch.zeros(k))
        self.not_positive = SignPack(torch.full((k,), -0.5))

    def forward(self, integers: Tensor) -> Tensor:
        x = integers.to(torch.float32)
        y: Tensor = torch.ops.edgebin.ternary_linear(
            self.negative(x), self.not_positive(x), self.weight, self.scale, self.bias, self.k
        )
        return y
