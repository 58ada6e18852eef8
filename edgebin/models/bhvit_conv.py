"""BHViT's multi-scale grouped dilated convolution (MSGDC): three binary convolutions on one plane of bits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.models.bhvit_config import CONV_DILATIONS, CONV_GROUPS
from edgebin.nn.activation import RPReLU
from edgebin.nn.dilated_conv import BinaryConv2d
from edgebin.nn.freeze import inference_form
from edgebin.nn.linear import SignPack
from edgebin.nn.norm import NormKind, make_norm
from edgebin.nn.sign import activation_sign
from edgebin.nn.tokens import Grid

_KERNEL = 3


class GroupedConvolutions(nn.Module):
    """norm(Σ_j RPReLU_j(conv_j(sgn(x + move)))) over dilations 1, 3 and 5; tokens [B, H·W, C] → [B, H·W, C].

    Source: Gao et al., BHViT (CVPR 2025); its published code has no shortcut within a branch. Parameters are named as
    in its checkpoints.
    """

    def __init__(self, dim: int, *, grid: Grid, norm: NormKind) -> None:
        super().__init__()
        self.grid = grid
        self.move = _Bias(dim)
        for number, dilation in enumerate(CONV_DILATIONS, 1):
            conv = BinaryConv2d(dim, dim, kernel=_KERNEL, dilation=dilation, groups=CONV_GROUPS)
            self.add_module(f"cov{number}", conv)
            self.add_module(f"act{number}", RPReLU(dim))
        self.norm = make_norm(norm, dim)

    def forward(self, x: Tensor) -> Tensor:
        signs = activation_sign(x + self.move.bias.flatten())
        y: Tensor = self.norm(_branches(self, signs))
        return y

    def inference_form(self) -> InferenceGroupedConvolutions:
        return InferenceGroupedConvolutions(self)


class InferenceGroupedConvolutions(nn.Module):
    """`GroupedConvolutions` at inference."""

    def __init__(self, layer: GroupedConvolutions) -> None:
        super().__init__()
        self.grid = layer.grid
        self.sign = SignPack(layer.move.bias)
        for name, child in layer.named_children():
            if name != "move":
                self.add_module(name, inference_form(child))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.get_submodule("norm")(_branches(self, self.sign(x)))
        return y


def _branches(layer: GroupedConvolutions | InferenceGroupedConvolutions, signs: Tensor) -> Tensor:
    """The sum over dilations, of signs in training form or packed."""
    total: Tensor | None = None
    for number in range(1, len(CONV_DILATIONS) + 1):
        convolved = layer.get_submodule(f"cov{number}")(signs, layer.grid)
        activated: Tensor = layer.get_submodule(f"act{number}")(convolved)
        total = activated if total is None else total + activated
    assert total is not None
    return total


class _Bias(nn.Module):
    """What is added before the sign, as images [1, C, 1, 1] have it."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, dim, 1, 1))
