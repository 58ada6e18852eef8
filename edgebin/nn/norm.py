"""Normalisation of token tensors [batch, tokens, channels], and what becomes of it at inference."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

NormKind = Literal["batch", "layer"]


class Affine(nn.Module):
    """x · gain + shift per channel: the inference form of a batch norm or a layer scale."""

    gain: Tensor
    shift: Tensor

    def __init__(self, gain: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("gain", gain.detach().float())
        self.register_buffer("shift", shift.detach().float())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain + self.shift


class BatchNormTokens(nn.BatchNorm1d):
    """Batch norm over the last axis of [batch, tokens, channels]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).view(x.shape)

    def gain_and_shift(self) -> tuple[Tensor, Tensor]:
        """Gain and shift [channels], float64, of the norm in evaluation mode."""
        assert self.running_mean is not None
        assert self.running_var is not None
        gain = self.weight.detach().double() / (self.running_var.double() + self.eps).sqrt()
        return gain, self.bias.detach().double() - self.running_mean.double() * gain

    def inference_form(self) -> Affine:
        return Affine(*self.gain_and_shift())


def make_norm(kind: NormKind, channels: int) -> BatchNormTokens | nn.LayerNorm:
    """A norm over `channels`. Batch norms fold away at inference, layer norms cannot."""
    return BatchNormTokens(channels) if kind == "batch" else nn.LayerNorm(channels)


def fold_norm(norm: nn.Module, scale: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, nn.Module]:
    """Folds norm(acc · scale + bias) into scale and bias, as far as the norm allows.

    Args:
        norm: what follows the layer.
        scale, bias: [channels] float64.

    Returns:
        The new scale and bias, float64, and the norm that is left: `nn.Identity` where it was folded.
    """
    if isinstance(norm, BatchNormTokens):
        gain, shift = norm.gain_and_shift()
        return scale * gain, bias * gain + shift, nn.Identity()
    return scale, bias, norm


def zeros64(channels: int) -> Tensor:
    """A float64 bias of nothing, to start folding from."""
    return torch.zeros(channels, dtype=torch.float64)
