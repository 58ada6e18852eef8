"""Binary convolutions whose windows do not overlap (kernel = stride, no padding)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebin.nn.packing import pack_bits
from edgebin.nn.sign import binary_weight, weight_scale, weight_sign
from edgebin.nn.tokens import windows_to_channels


class BinaryPatchConv(nn.Module):
    """Binary convolution of kernel = stride = `window` on token grids: [B, H·W, in] → [B, H·W/window², out].

    y_o = mean|W_o| · Σ sgn(W_o) · x, the mean over in and the window. BinaryViT does not centre its convolution weights
    (its dense ones it does), BHViT does: `centred` says which.
    """

    def __init__(self, in_channels: int, out_channels: int, *, window: int, centred: bool) -> None:
        super().__init__()
        self.window = window
        self.centred = centred
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, window, window))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, signs: Tensor, grid: tuple[int, int]) -> Tensor:
        return patch_conv(signs, binary_weight(self.weight, centred=self.centred), grid)

    def scale(self) -> Tensor:
        """[out] float64."""
        return weight_scale(self.weight.double())

    def packed_weight(self) -> Tensor:
        """Weight bits [out, window² · bit row bytes of in] uint8: the rows of a window's pixels, one after the other.

        Each pixel keeps its own padding, so that activations packed per pixel only have to be regrouped.
        """
        signs = weight_sign(self.weight.double(), centred=self.centred)
        return pack_bits(signs.permute(0, 2, 3, 1) < 0).flatten(1)


def patch_conv(x: Tensor, weight: Tensor, grid: tuple[int, int]) -> Tensor:
    """Convolution of kernel = stride on a token grid, as one matrix product; weight [out, in, window, window]."""
    columns = windows_to_channels(x, grid, weight.shape[-1])
    return functional.linear(columns, weight.permute(0, 2, 3, 1).flatten(1))
