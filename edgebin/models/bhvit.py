"""BHViT, tiny and small, with either kind of downsampling and of attention maps: one definition.

Source: Gao et al., "BHViT: Binarized Hybrid Vision Transformer", CVPR 2025 (arXiv 2503.02394). Modules and parameters
are named as in the authors' checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from edgebin.models.bhvit_attention import WindowAttention
from edgebin.models.bhvit_config import CONV_STAGES, STAGES, BHViTConfig, HybridConfig
from edgebin.models.bhvit_conv import GroupedConvolutions
from edgebin.models.classifier import Classifier
from edgebin.models.downsampling import BinaryDownsampling, FullPrecisionDownsampling
from edgebin.nn.activation import LayerScale
from edgebin.nn.freeze import inference_form
from edgebin.nn.norm import make_norm
from edgebin.nn.patches import InferencePatchEmbeddings, fold_patch_conv
from edgebin.nn.shifts import ShiftStencil, shift_branches
from edgebin.nn.unit import BinaryUnit

_MAIN_SCALE = 0.1
_BRANCH_SCALE = 0.0


class BHViT(Classifier):
    """Images [B, channels, image_size, image_size] float → logits [B, classes]."""

    def __init__(self, config: BHViTConfig) -> None:
        embeddings = HybridEmbeddings(config, make_norm(config.norm, config.dims[0]))
        encoder = HybridEncoder(
            config,
            lambda stage: BHViTLayer(config, stage),
            lambda stage: _downsampling(config, stage),
        )
        super().__init__(config, embeddings=embeddings, encoder=encoder, norm=make_norm(config.norm, config.dims[-1]))


def _downsampling(config: BHViTConfig, stage: int) -> nn.Module:
    in_dim, out_dim, grid = config.dims[stage - 1], config.dims[stage], config.grid(stage - 1)
    if config.full_precision_downsampling:
        return FullPrecisionDownsampling(in_dim, out_dim, grid=grid, norm=config.norm)
    return BinaryDownsampling(in_dim, out_dim, grid=grid, norm=config.norm, centred=True)


class HybridEmbeddings(nn.Module):
    """Images [B, channels, S, S] → tokens [B, N, C]: patch projection, norm, GELU, positions; full precision."""

    def __init__(self, config: HybridConfig, norm: nn.Module) -> None:
        super().__init__()
        self.patch_embeddings = _PatchProjection(config, norm)
        self.position_embeddings = nn.Parameter(torch.empty(1, config.dims[0], *config.grid(0)))
        nn.init.trunc_normal_(self.position_embeddings, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        y: Tensor = self.patch_embeddings(images) + self.position_embeddings.flatten(2).transpose(1, 2)
        return y

    def inference_form(self) -> InferenceHybridEmbeddings:
        return InferenceHybridEmbeddings(self)


class _PatchProjection(nn.Module):
    def __init__(self, config: HybridConfig, norm: nn.Module) -> None:
        super().__init__()
        patch = config.patch_size
        self.grid = config.grid(0)
        self.proj = nn.Conv2d(config.channels, config.dims[0], kernel_size=patch, stride=patch)
        self.norm = norm
        self.gelu = nn.GELU()

    def forward(self, images: Tensor) -> Tensor:
        features = self.proj(images).flatten(2).transpose(1, 2)
        y: Tensor = self.gelu(self.norm(features))
        return y


class InferenceHybridEmbeddings(nn.Module):
    """`HybridEmbeddings` at inference: the projection is one matrix product, the norm is folded into it."""

    position_embeddings: Tensor

    def __init__(self, layer: HybridEmbeddings) -> None:
        super().__init__()
        stem = layer.patch_embeddings
        self.patch_embeddings: InferencePatchEmbeddings
        self.patch_embeddings, self.norm = fold_patch_conv(stem.proj, stem.norm, stem.grid)
        self.gelu = stem.gelu
        positions = layer.position_embeddings.detach().flatten(2).transpose(1, 2).contiguous()
        self.register_buffer("position_embeddings", positions)

    def forward(self, images: Tensor) -> Tensor:
        y: Tensor = self.gelu(self.norm(self.patch_embeddings(images))) + self.position_embeddings
        return y


class HybridEncoder(nn.Module):
    """`layerA` holds the stages of convolutions, `layerB` those that attend, `patch_embed1` … lie between the stages.

    Args:
        config: says how many layers each stage has.
        layer: makes a layer of a stage.
        downsampling: makes the step into a stage.
    """

    def __init__(
        self, config: HybridConfig, layer: Callable[[int], nn.Module], downsampling: Callable[[int], nn.Module]
    ) -> None:
        super().__init__()
        self.depths = config.depths
        stages = [[layer(stage) for _ in range(depth)] for stage, depth in enumerate(config.depths)]
        self.layerA = nn.ModuleList(module for modules in stages[:CONV_STAGES] for module in modules)
        self.layerB = nn.ModuleList(module for modules in stages[CONV_STAGES:] for module in modules)
        for stage in range(1, STAGES):
            self.add_module(f"patch_embed{stage}", downsampling(stage))

    def forward(self, x: Tensor) -> Tensor:
        layers: Iterator[nn.Module] = iter([*self.layerA, *self.layerB])
        for stage, depth in enumerate(self.depths):
            if stage > 0:
                x = self.get_submodule(f"patch_embed{stage}")(x)
            for _ in range(depth):
                x = next(layers)(x)
        return x


class _Attention(nn.Module):
    """Window attention and its output projection, under the names of the checkpoints."""

    def __init__(self, config: BHViTConfig, stage: int) -> None:
        super().__init__()
        dim = config.dims[stage]
        self.attention = WindowAttention(config, stage)
        self.output = BinaryUnit(dim, dim, norm=config.norm, layer_scale=_main_scale(config))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.output(self.attention(x))
        return y


class BHViTLayer(nn.Module):
    """One block: convolutions or attention, then MLP and shift branches side by side; [B, N, C] → [B, N, C]."""

    def __init__(self, config: BHViTConfig, stage: int) -> None:
        super().__init__()
        dim, hidden = config.dims[stage], config.mlp_dims[stage]
        self.grid = config.grid(stage)
        self.branches = tuple(f"{branch}{size}" for size in config.shifts for branch in ("h", "w", "ch"))
        if stage < CONV_STAGES:
            self.GC = GroupedConvolutions(dim, grid=self.grid, norm=config.norm)
        else:
            self.attention = _Attention(config, stage)
        self.intermediate = BinaryUnit(dim, hidden, norm=config.norm, layer_scale=None)
        self.output = BinaryUnit(hidden, dim, norm=config.norm, layer_scale=_main_scale(config))
        self.layernorm_before = make_norm(config.norm, dim)
        self.layernorm_after = make_norm(config.norm, dim)
        for branch in self.branches:
            self.add_module(f"layerscale_{branch}", LayerScale(dim, _BRANCH_SCALE))

    @property
    def mixer(self) -> nn.Module:
        """What mixes tokens: the convolutions, or the attention."""
        return self.GC if hasattr(self, "GC") else self.attention

    def branch_scales(self) -> dict[str, LayerScale]:
        """The layer scale of each shift branch, by its name."""
        return {branch: getattr(self, f"layerscale_{branch}") for branch in self.branches}

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(self.layernorm_before(x))
        normed = self.layernorm_after(x)
        y: Tensor = x + self.output(self.intermediate(normed))
        return y + shift_branches(normed, self.grid, self.branch_scales()) if self.branches else y

    def inference_form(self) -> InferenceBHViTLayer:
        return InferenceBHViTLayer(self)


class InferenceBHViTLayer(nn.Module):
    """`BHViTLayer` at inference: the shift branches are one stencil."""

    def __init__(self, layer: BHViTLayer) -> None:
        super().__init__()
        self.layernorm_before = inference_form(layer.layernorm_before)
        self.mixer_name = "GC" if hasattr(layer, "GC") else "attention"
        self.add_module(self.mixer_name, inference_form(layer.mixer))
        self.layernorm_after = inference_form(layer.layernorm_after)
        self.intermediate = inference_form(layer.intermediate)
        self.output = inference_form(layer.output)
        self.branches = ShiftStencil(layer.grid, layer.branch_scales()) if layer.branches else None

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.get_submodule(self.mixer_name)(self.layernorm_before(x))
        normed = self.layernorm_after(x)
        x = x + self.output(self.intermediate(normed))
        return x if self.branches is None else x + self.branches(normed)


def _main_scale(config: BHViTConfig) -> float | None:
    return _MAIN_SCALE if config.layer_scale else None
