"""Works out a model's config from the shapes of its parameters, and checks it against what else is known.

Two things leave no trace in the shapes: into how many heads attention is split, and over how large a window keys and
values are pooled. The authors' configs say so; without one, the rules of every published network are used: heads are 64
wide, and pooling leaves as many keys a side as the last stage has tokens.

Source: Le & Li, BinaryViT, published configs (224 pixels: windows of 8 and 4 leave 7 of 56 and 28 tokens a side).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from edgebin.errors import CheckpointError, InputError
from edgebin.models.config import BinaryViTConfig, ModelConfig, ViTConfig

_HEAD_DIM = 64
_LAYER = "vit.encoder.layer"


@dataclass(frozen=True)
class StageHints:
    """What shapes do not tell, for each stage; None where it is not known."""

    heads: tuple[int, ...] | None = None
    reductions: tuple[int, ...] | None = None


class PublishedConfig(BaseModel):
    """The part that matters here of the `config.json` that the authors, Hugging Face or timm keep beside a model."""

    model_config = ConfigDict(extra="ignore")  # such files hold dozens of other settings

    hidden_size: int | tuple[int, ...] = Field(validation_alias=AliasChoices("hidden_size", "embed_dim"))
    num_attention_heads: int | tuple[int, ...] = Field(
        validation_alias=AliasChoices("num_attention_heads", "num_heads")
    )
    intermediate_size: int | tuple[int, ...] | None = None
    image_size: int | None = Field(None, validation_alias=AliasChoices("image_size", "img_size"))
    depths: tuple[int, ...] | None = None
    num_hidden_layers: int | tuple[int, ...] | None = None
    reduction_ratio: tuple[int, ...] | None = None
    window_size: int | None = None

    def hints(self) -> StageHints:
        return StageHints(_stages(self.num_attention_heads), self.reduction_ratio)


def read_published_config(path: Path) -> PublishedConfig:
    """Reads a `config.json`.

    Raises:
        InputError: it cannot be read or is not such a file.
    """
    try:
        return PublishedConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, ValidationError) as error:
        raise InputError(
            f"`{path}` is not a model's config.json: {str(error).splitlines()[0]}",
            hint="it needs hidden_size and num_attention_heads",
        ) from error


def infer_config(state: Mapping[str, Tensor], *, binary: bool, hints: StageHints) -> ViTConfig:
    """The config of a BinaryViT (or of a full-precision twin, where not `binary`) with these parameters.

    Raises:
        CheckpointError: a parameter that every such model has is missing, or the shapes fit no config.
    """
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    dims, depths, mlp_dims, first = _stage_shapes(shapes)
    class_token = "vit.embeddings.cls_token" in shapes
    projection = _shape(shapes, "vit.embeddings.patch_embeddings.projection.weight", 4)
    side = _side(_shape(shapes, "vit.embeddings.position_embeddings", 3)[1] - int(class_token))
    pooled = [f"{_LAYER}.{layer}.attention.attention.reduction.weight" in shapes for layer in first]
    common: dict[str, Any] = {
        "image_size": side * projection[2],
        "patch_size": projection[2],
        "channels": projection[1],
        "classes": _shape(shapes, "classifier.weight", 2)[0],
        "depths": depths,
        "dims": dims,
        "mlp_dims": mlp_dims,
        "heads": hints.heads or _assumed_heads(dims),
        "reductions": hints.reductions or tuple(2 ** (len(dims) - 1 - s) if pooled[s] else 1 for s in range(len(dims))),
        "class_token": class_token,
        "stem_norm": "vit.embeddings.norm.weight" in shapes,
    }
    try:
        return BinaryViTConfig(**common, **_binary_switches(shapes)) if binary else ViTConfig(**common)
    except InputError as error:
        raise CheckpointError(
            f"the shapes of the parameters fit no such model: {error.message}", hint="give the model's own config.json"
        ) from error


def stage_widths(state: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Token width of each stage.

    Raises:
        CheckpointError: there is no layer.
    """
    return _stage_shapes({name: tuple(value.shape) for name, value in state.items()})[0]


def disagreements(config: BinaryViTConfig, arguments: Mapping[str, Any]) -> list[str]:
    """Where a training run's arguments say something else than the parameters do: one line for each."""
    facts: dict[str, object] = {
        "weight_bits": 1,
        "input_bits": 1,
        "nb_classes": config.classes,
        "input_size": config.image_size,
        "avg_res3": 3 in config.average_windows,
        "avg_res5": 5 in config.average_windows,
        "replace_ln_bn": config.norm == "batch",
        "disable_layerscale": not config.layer_scale,
    }
    if config.stages > 1:
        facts["some_fp"] = config.full_precision_downsampling
    else:
        facts["enable_cls_token"] = config.class_token
    return [
        f"{name} is {arguments[name]} in the arguments, {fact} by the parameters"
        for name, fact in facts.items()
        if arguments.get(name, fact) != fact
    ]


def published_disagreements(config: ModelConfig, published: PublishedConfig) -> list[str]:
    """Where a config.json says something else than the parameters do: one line for each."""
    claims = {
        "dims": _stages(published.hidden_size),
        "mlp_dims": _stages(published.intermediate_size),
        "depths": published.depths or _stages(published.num_hidden_layers),
    }
    return [
        f"{name} is {claim} in config.json, {getattr(config, name)} by the parameters"
        for name, claim in claims.items()
        if claim is not None and claim != getattr(config, name, claim)
    ]


def _binary_switches(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    downsampling = "vit.encoder.patch_embed1.proj.weight" in shapes
    return {
        "average_windows": tuple(w for w in (3, 5) if f"{_LAYER}.0.layerscale_w{w}.alpha" in shapes),
        "layer_scale": f"{_LAYER}.0.output.layerscale.alpha" in shapes,
        "full_precision_downsampling": downsampling and "vit.encoder.patch_embed1.move" not in shapes,
        "norm": "batch" if f"{_LAYER}.0.layernorm_before.running_mean" in shapes else "layer",
    }


def _stage_shapes(
    shapes: Mapping[str, tuple[int, ...]],
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], list[int]]:
    """Widths, depths, MLP widths, and the first layer of each stage; a stage ends where the width changes."""
    dims: list[int] = []
    depths: list[int] = []
    mlp_dims: list[int] = []
    first: list[int] = []
    layer = 0
    while f"{_LAYER}.{layer}.intermediate.dense.weight" in shapes:
        hidden, dim = _shape(shapes, f"{_LAYER}.{layer}.intermediate.dense.weight", 2)
        if not dims or dim != dims[-1]:
            dims.append(dim)
            depths.append(0)
            mlp_dims.append(hidden)
            first.append(layer)
        depths[-1] += 1
        layer += 1
    if not dims:
        raise CheckpointError(
            f"the checkpoint lacks `{_LAYER}.0.intermediate.dense.weight`", hint="give the whole state dict"
        )
    return tuple(dims), tuple(depths), tuple(mlp_dims), first


def _shape(shapes: Mapping[str, tuple[int, ...]], name: str, rank: int) -> tuple[int, ...]:
    if name not in shapes:
        raise CheckpointError(f"the checkpoint lacks `{name}`", hint="give the whole state dict")
    if len(shapes[name]) != rank:
        raise CheckpointError(
            f"`{name}` has shape {shapes[name]} where {rank} axes are expected", hint="give the state dict unchanged"
        )
    return shapes[name]


def _side(tokens: int) -> int:
    side = math.isqrt(max(tokens, 0))
    if side * side != tokens:
        raise CheckpointError(
            f"{tokens} position embeddings form no square image", hint="edgebin reads models of square images"
        )
    return side


def _assumed_heads(dims: tuple[int, ...]) -> tuple[int, ...]:
    if any(dim % _HEAD_DIM for dim in dims):
        raise CheckpointError(
            f"the checkpoint does not say how many attention heads there are, and {dims} are not all multiples of 64",
            hint="give the model's config.json along with the checkpoint",
        )
    return tuple(dim // _HEAD_DIM for dim in dims)


def _stages(value: int | tuple[int, ...] | None) -> tuple[int, ...] | None:
    return (value,) if isinstance(value, int) else value
