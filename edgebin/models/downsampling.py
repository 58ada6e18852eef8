"""Between two stages: 2×2 tokens become one, of a larger width, and get a position."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.nn.activation import RPReLU
from edgebin.nn.conv import BinaryPatchConv, patch_conv
from edgebin.nn.linear import PackedLinear, SignPack
from edgebin.nn.norm import BatchNormTokens, NormKind, fold_norm, make_norm, zeros64
from edgebin.nn.patches import dense
from edgebin.nn.tokens import Grid, match_channels, pool_windows, windows_to_channels
from edgebin.nn.unit import unit

_WINDOW = 2


class BinaryDownsampling(nn.Module):
    """Tokens [B, H·W, in] → [B, H·W/4, out] through a binary 2×2 convolution of stride 2; `grid` is (H, W).

    With n = norm0(x): RPReLU(norm(conv(sgn(n + move))) + widened 2×2 means of n) + position_embeddings.

    Args:
        centred: whether the convolution's weights are centred before the sign.

    Source: Le & Li, BinaryViT (CVPRW 2023), not centred; Gao et al., BHViT (CVPR 2025), centred.
    """

    def __init__(self, in_dim: int, out_dim: int, *, grid: Grid, norm: NormKind, centred: bool = False) -> None:
        super().__init__()
        self.grid = grid
        self.out_dim = out_dim
        self.move = nn.Parameter(torch.zeros(1, in_dim, 1, 1))
        self.norm0 = make_norm(norm, in_dim)
        self.proj = BinaryPatchConv(in_dim, out_dim, window=_WINDOW, centred=centred)
        self.norm = make_norm(norm, out_dim)
        self.rprelu = RPReLU(out_dim)
        self.position_embeddings = _positions(grid, out_dim)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm0(x)
        residual = match_channels(pool_windows(tokens, self.grid, _WINDOW), self.out_dim)
        y = unit(
            tokens,
            residual,
            move=self.move.flatten(),
            linear=_OnGrid(self.proj, self.grid),
            norm=self.norm,
            rprelu=self.rprelu,
        )
        return y + self.position_embeddings

    def inference_form(self) -> InferenceDownsampling:
        return InferenceDownsampling(self)


class _OnGrid(nn.Module):
    """A convolution on a token grid, called as a dense layer is."""

    def __init__(self, conv: BinaryPatchConv, grid: Grid) -> None:
        super().__init__()
        self.conv = conv
        self.grid = grid

    def forward(self, signs: Tensor) -> Tensor:
        y: Tensor = self.conv(signs, self.grid)
        return y


class InferenceDownsampling(nn.Module):
    """`BinaryDownsampling` at inference: packed once per token, the four packed rows of a window side by side.

    Where `in` is no multiple of 64, padding bits lie between the four pixels, in the packed weights too. They agree,
    each adds 1 to the sum, and the bias takes that off again: k counts them as well.
    """

    def __init__(self, layer: BinaryDownsampling) -> None:
        super().__init__()
        self.grid = layer.grid
        self.out_dim = layer.out_dim
        self.norm0 = layer.norm0.inference_form() if isinstance(layer.norm0, BatchNormTokens) else layer.norm0
        self.sign = SignPack(layer.move)
        scale, bias, self.norm = fold_norm(layer.norm, layer.proj.scale(), zeros64(layer.out_dim))
        weight = layer.proj.packed_weight()
        bits = 8 * weight.shape[1]
        padding = bits - layer.proj.weight[0].numel()
        self.proj = PackedLinear(weight, scale, bias - scale * padding, bits)
        self.rprelu = layer.rprelu.inference_form()
        self.position_embeddings = layer.position_embeddings

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm0(x)
        bits = windows_to_channels(self.sign(tokens), self.grid, _WINDOW)
        residual = match_channels(pool_windows(tokens, self.grid, _WINDOW), self.out_dim)
        y: Tensor = self.rprelu(self.norm(self.proj(bits)) + residual) + self.position_embeddings
        return y


class FullPrecisionDownsampling(nn.Module):
    """The same place in full precision (`some_fp`): norm(conv(norm0(x))) + position_embeddings."""

    def __init__(self, in_dim: int, out_dim: int, *, grid: Grid, norm: NormKind) -> None:
        super().__init__()
        self.grid = grid
        self.norm0 = make_norm(norm, in_dim)
        self.proj = nn.Conv2d(in_dim, out_dim, kernel_size=_WINDOW, stride=_WINDOW, bias=False)
        self.norm = make_norm(norm, out_dim)
        self.position_embeddings = _positions(grid, out_dim)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(patch_conv(self.norm0(x), self.proj.weight, self.grid)) + self.position_embeddings
        return y

    def inference_form(self) -> InferenceFullPrecisionDownsampling:
        return InferenceFullPrecisionDownsampling(self)


class InferenceFullPrecisionDownsampling(nn.Module):
    """`FullPrecisionDownsampling` at inference: one dense layer on windows, both batch norms folded into it."""

    def __init__(self, layer: FullPrecisionDownsampling) -> None:
        super().__init__()
        self.grid = layer.grid
        weight = layer.proj.weight.detach().double().permute(0, 2, 3, 1).flatten(1)
        out_dim = weight.shape[0]
        scale, bias, self.norm = fold_norm(layer.norm, torch.ones(out_dim, dtype=torch.float64), zeros64(out_dim))
        weight = weight * scale[:, None]
        self.norm0: nn.Module = layer.norm0
        if isinstance(layer.norm0, BatchNormTokens):
            gain, shift = (per_channel.repeat(_WINDOW**2) for per_channel in layer.norm0.gain_and_shift())
            bias = bias + weight @ shift
            weight = weight * gain
            self.norm0 = nn.Identity()
        self.proj = dense(weight, bias)
        self.position_embeddings = layer.position_embeddings

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.proj(windows_to_channels(self.norm0(x), self.grid, _WINDOW)))
        return y + self.position_embeddings


def _positions(grid: Grid, dim: int) -> nn.Parameter:
    positions = nn.Parameter(torch.empty(1, grid[0] * grid[1] // _WINDOW**2, dim))
    nn.init.trunc_normal_(positions, std=0.02)
    return positions
