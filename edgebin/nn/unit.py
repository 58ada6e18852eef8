"""The building block of every binary layer: sign, binary product, norm, full-precision residual, RPReLU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.nn.activation import LayerScale, RPReLU
from edgebin.nn.linear import BinaryLinear, PackedLinear, SignPack
from edgebin.nn.norm import NormKind, fold_norm, make_norm, zeros64
from edgebin.nn.sign import activation_sign
from edgebin.nn.tokens import match_channels


def unit(x: Tensor, residual: Tensor, *, move: Tensor, linear: nn.Module, norm: nn.Module, rprelu: nn.Module) -> Tensor:
    """RPReLU(norm(linear(sgn(x + move))) + residual), in training form.

    Source: Le & Li, BinaryViT (CVPRW 2023), Sec. 3; Liu et al., ReActNet (ECCV 2020), Fig. 4.
    """
    y: Tensor = rprelu(norm(linear(activation_sign(x + move))) + residual)
    return y


class InferenceUnit(nn.Module):
    """`unit` at inference: scale and norm are one multiplication and addition per channel after the integer sum."""

    def __init__(self, *, move: Tensor, linear: BinaryLinear, norm: nn.Module, rprelu: RPReLU) -> None:
        super().__init__()
        scale, bias, remaining = fold_norm(norm, linear.scale(), zeros64(linear.out_features))
        self.sign = SignPack(move)
        self.linear = PackedLinear(linear.packed_weight(), scale, bias, linear.in_features)
        self.norm = remaining
        self.rprelu = rprelu.inference_form()

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        y: Tensor = self.rprelu(self.norm(self.linear(self.sign(x))) + residual)
        return y


class BinaryUnit(nn.Module):
    """A unit whose residual is its own input, widened or narrowed to fit, then a layer scale where one is asked for.

    Tokens [batch, tokens, in_features] → [batch, tokens, out_features]. One of the two widths divides the other.
    """

    def __init__(self, in_features: int, out_features: int, *, norm: NormKind, layer_scale: float | None) -> None:
        super().__init__()
        self.out_features = out_features
        self.move = nn.Parameter(torch.zeros(in_features))
        self.dense = BinaryLinear(in_features, out_features)
        self.norm = make_norm(norm, out_features)
        self.rprelu = RPReLU(out_features)
        self.layerscale = nn.Identity() if layer_scale is None else LayerScale(out_features, layer_scale)

    def forward(self, x: Tensor) -> Tensor:
        residual = match_channels(x, self.out_features)
        y = unit(x, residual, move=self.move, linear=self.dense, norm=self.norm, rprelu=self.rprelu)
        scaled: Tensor = self.layerscale(y)
        return scaled

    def inference_form(self) -> InferenceBinaryUnit:
        return InferenceBinaryUnit(self)


class InferenceBinaryUnit(nn.Module):
    """`BinaryUnit` at inference."""

    def __init__(self, layer: BinaryUnit) -> None:
        super().__init__()
        self.out_features = layer.out_features
        self.unit = InferenceUnit(move=layer.move, linear=layer.dense, norm=layer.norm, rprelu=layer.rprelu)
        self.layerscale = (
            layer.layerscale.inference_form() if isinstance(layer.layerscale, LayerScale) else layer.layerscale
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layerscale(self.unit(x, match_channels(x, self.out_features)))
        return y
