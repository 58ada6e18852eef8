"""BinaryViT and its DeiT ablations: one definition, told apart by their config.

Source: Le & Li, "BinaryViT: Pushing Binary Vision Transformers Towards Convolutional Models", CVPRW 2023
(arXiv 2306.16678). Modules and parameters are named as in the authors' checkpoints.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgebin.models.classifier import Classifier, Encoder
from edgebin.models.config import BinaryViTConfig
from edgebin.models.downsampling import BinaryDownsampling, FullPrecisionDownsampling
from edgebin.models.embeddings import Embeddings
from edgebin.nn.activation import LayerScale
from edgebin.nn.branches import AverageStencil, average_branches
from edgebin.nn.freeze import inference_form
from edgebin.nn.norm import make_norm
from edgebin.nn.self_attention import BinarySelfAttention
from edgebin.nn.unit import BinaryUnit

_MAIN_SCALE = 0.1
_BRANCH_SCALE = 0.0


class BinaryViT(Classifier):
    """Images [B, channels, image_size, image_size] float → logits [B, classes]."""

    def __init__(self, config: BinaryViTConfig) -> None:
        encoder = Encoder(config, BinaryViTLayer, _downsampling)
        norm = make_norm(config.norm, config.dims[-1])
        super().__init__(
            config, embeddings=Embeddings(config), encoder=encoder, norm=norm, class_token=config.class_token
        )


def _downsampling(config: BinaryViTConfig, stage: int) -> nn.Module:
    kind = FullPrecisionDownsampling if config.full_precision_downsampling else BinaryDownsampling
    return kind(config.dims[stage - 1], config.dims[stage], grid=config.grid(stage - 1), norm=config.norm)


class _Attention(nn.Module):
    """Self-attention and its output projection, under the names of the checkpoints."""

    def __init__(self, config: BinaryViTConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.attention = BinarySelfAttention(
            dim,
            config.heads[stage],
            reduction=config.reductions[stage],
            grid=config.grid(stage),
            norm=config.norm,
        )
        self.output = BinaryUnit(dim, dim, norm=config.norm, layer_scale=_MAIN_SCALE if config.layer_scale else None)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.output(self.attention(x))
        return y


class BinaryViTLayer(nn.Module):
    """One block: attention, then MLP and average-pooling branches side by side; [B, N, C] → [B, N, C]."""

    def __init__(self, config: BinaryViTConfig, stage: int) -> None:
        super().__init__()
        dim, hidden = config.dims[stage], config.mlp_dims[stage]
        self.grid = config.grid(stage)
        self.average_windows = config.average_windows
        self.attention = _Attention(config, stage)
        self.intermediate = BinaryUnit(dim, hidden, norm=config.norm, layer_scale=None)
        self.output = BinaryUnit(hidden, dim, norm=config.norm, layer_scale=_MAIN_SCALE if config.layer_scale else None)
        self.layernorm_before = make_norm(config.norm, dim)
        self.layernorm_after = make_norm(config.norm, dim)
        for window in config.average_windows:
            self.add_module(f"layerscale_w{window}", LayerScale(dim, _BRANCH_SCALE))
            self.add_module(f"layerscale_h{window}", LayerScale(dim, _BRANCH_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.layernorm_before(x))
        normed = self.layernorm_after(x)
        x = x + self.output(self.intermediate(normed))
        if self.average_windows:
            x = x + average_branches(normed, self.grid, self._branch_scales())
        return x

    def inference_form(self) -> InferenceBinaryViTLayer:
        stencil = AverageStencil(self.grid, self._branch_scales()) if self.average_windows else None
        return InferenceBinaryViTLayer(self, stencil)

    def _branch_scales(self) -> dict[tuple[int, int], LayerScale]:
        """The layer scale of each branch, by its window (height, width)."""
        scales: dict[tuple[int, int], LayerScale] = {}
        for window in self.average_windows:
            scales[1, window] = getattr(self, f"layerscale_w{window}")
            scales[window, 1] = getattr(self, f"layerscale_h{window}")
        return scales


class InferenceBinaryViTLayer(nn.Module):
    """`BinaryViTLayer` at inference: the branches are one stencil."""

    def __init__(self, layer: BinaryViTLayer, branches: AverageStencil | None) -> None:
        super().__init__()
        self.layernorm_before = inference_form(layer.layernorm_before)
        self.attention = inference_form(layer.attention)
        self.layernorm_after = inference_form(layer.layernorm_after)
        self.intermediate = inference_form(layer.intermediate)
        self.output = inference_form(layer.output)
        self.branches = branches

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.layernorm_before(x))
        normed = self.layernorm_after(x)
        x = x + self.output(self.intermediate(normed))
        return x if self.branches is None else x + self.branches(normed)
