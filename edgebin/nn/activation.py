"""Per-channel activations of binary networks: RPReLU and layer scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)
from edgebin.nn.norm import Affine


class RPReLU(nn.Module):
    """PReLU(x - move1) + move2 over the last axis, all three per channel; slopes may be learned negative.

    Source: Liu et al., ReActNet (ECCV 2020), Eq. 2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.move1 = nn.Parameter(torch.zeros(channels))
        self.prelu = nn.PReLU(channels)
        self.move2 = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        shifted = (x - self.move1).flatten(0, -2)  # PReLU's channels are axis 1
        return functional.prelu(shifted, self.prelu.weight).view(x.shape) + self.move2

    def inference_form(self) -> InferenceRPReLU:
        return InferenceRPReLU(self.move1, self.prelu.weight, self.move2)


class InferenceRPReLU(nn.Module):
    """RPReLU as one op."""

    shift: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(self, shift: Tensor, slope: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.register_buffer("shift", shift.detach().float())
        self.register_buffer("slope", slope.detach().float())
        self.register_buffer("offset", offset.detach().float())

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.edgebin.rprelu(x, self.shift, self.slope, self.offset)
        return y


class LayerScale(nn.Module):
    """x · alpha + move per channel: how much a branch adds to the residual stream.

    Source: Touvron et al., CaiT (ICCV 2021), Eq. 4; the learned `move` is BinaryViT's.
    """

    def __init__(self, channels: int, initial: float) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((channels,), initial))
        self.move = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.alpha + self.move

    def inference_form(self) -> Affine:
        return Affine(self.alpha, self.move)
