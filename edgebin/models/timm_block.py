"""What DeiT, Swin and NesT share beside attention: MLP, pre-norm block, patch embedding; timm's names throughout."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebin.models.timm_attention import dense_layer, make_attention
from edgebin.models.timm_config import MlpMode, TimmConfig
from edgebin.nn.freeze import inference_form
from edgebin.nn.patches import InferencePatchEmbeddings, dense
from edgebin.nn.scaled_linear import ScaledBinaryLinear
from edgebin.nn.sign import clipped_sign
from edgebin.nn.tokens import Grid


class Mlp(nn.Module):
    """fc2(GELU(fc1(x))), [..., dim] → [..., dim], with the weights and activations that `mode` says.

    Where activations are binary, what fc2 sees is sgn(GELU(fc1(x))) = sgn(fc1(x)). The sign is taken of fc1(x): in
    float32 the GELU of about -5.5 and less is -0, whose sign would be 0. The gradient is the GELU's all the same.
    """

    def __init__(self, dim: int, hidden: int, mode: MlpMode) -> None:
        super().__init__()
        self.fc1 = _mlp_layer(dim, hidden, mode)
        self.act = nn.GELU()
        self.fc2 = _mlp_layer(hidden, dim, mode)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.fc1(x)
        if isinstance(self.fc2, ScaledBinaryLinear) and self.fc2.inputs != "float":
            return self.fc2.product(_sign_of_gelu(hidden))
        y: Tensor = self.fc2(self.act(hidden))
        return y

    def inference_form(self) -> nn.Module:
        signs = isinstance(self.fc2, ScaledBinaryLinear) and self.fc2.inputs != "float"
        form = nn.Sequential()
        form.add_module("fc1", inference_form(self.fc1))
        if not signs:
            form.add_module("act", self.act)
        form.add_module("fc2", inference_form(self.fc2))
        return form


def _mlp_layer(in_features: int, out_features: int, mode: MlpMode) -> nn.Linear | ScaledBinaryLinear:
    if mode == "fp":
        return dense_layer(in_features, out_features)
    return ScaledBinaryLinear(
        in_features,
        out_features,
        learned_scale=mode.endswith("pws"),
        inputs="float" if mode.startswith("w1a32") else "sign",
    )


def _sign_of_gelu(x: Tensor) -> Tensor:
    straight_through = clipped_sign(functional.gelu(x))
    return torch.sign(x) + (straight_through - straight_through.detach())


class Block(nn.Module):
    """x + attention(norm1(x)), then x + mlp(norm2(x)); [B, N, C] → [B, N, C]."""

    def __init__(self, config: TimmConfig, stage: int, *, eps: float, window: int | None = None) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = make_attention(config, stage, window)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, config.mlp_dims[stage], config.mlp)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        y: Tensor = x + self.mlp(self.norm2(x))
        return y


class PatchEmbed(nn.Module):
    """Images [B, channels, S, S] → tokens [B, N, C]; full precision in every published binary transformer."""

    def __init__(self, config: TimmConfig, norm: nn.Module) -> None:
        super().__init__()
        self.grid: Grid = config.grid(0)
        self.proj = nn.Conv2d(config.channels, config.dims[0], kernel_size=config.patch_size, stride=config.patch_size)
        self.norm = norm

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.proj(images)
        tokens: Tensor = self.norm(features.flatten(2).transpose(1, 2))
        return tokens

    def inference_form(self) -> nn.Module:
        conv = self.proj
        assert conv.bias is not None
        proj = InferencePatchEmbeddings(
            dense(conv.weight.flatten(1), conv.bias), conv.in_channels, conv.kernel_size[0], self.grid
        )
        form = nn.Sequential()
        form.add_module("proj", proj)
        if not isinstance(self.norm, nn.Identity):
            form.add_module("norm", self.norm)
        return form
