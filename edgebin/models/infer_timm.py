"""Works out the config of a DeiT, Swin or NesT, binary or not, from its parameters, and brings old names up to date.

What the parameters do not tell is asked for or assumed, never guessed silently: how DeiT and NesT split their width
into heads, the image size of a Swin, and, for BiViT, what is binary in the MLPs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from edgebin.errors import CheckpointError, InputError
from edgebin.models.config import ModelConfig
from edgebin.models.timm_attention import relative_position_index
from edgebin.models.timm_config import (
    MLP_MODES,
    AttentionKind,
    DeiTConfig,
    MlpMode,
    NesTConfig,
    SwinConfig,
    TimmConfig,
)
from edgebin.models.timm_swin import shift_mask

# Width of a head in every published network of the family.
_HEAD_DIMS = {"deit": 64, "nest": 32}
_Shapes = Mapping[str, tuple[int, ...]]


def infer_timm(
    state: Mapping[str, Tensor],
    *,
    heads: tuple[int, ...] | None,
    image_size: int | None,
    full_precision: bool | None,
    mlp: str | None,
) -> tuple[TimmConfig, str]:
    """The config of a network with these parameters, and what was assumed, for people ("" for nothing).

    Args:
        state: parameters under the names of timm since 0.9.
        heads: attention heads of each stage, where they are known.
        image_size: where it is known; only Swin's parameters do not tell.
        full_precision: whether it is a full-precision network, where that is known.
        mlp: one of `MLP_MODES`, where it is known.

    Raises:
        CheckpointError: a parameter that every such model has is missing, or the shapes fit no config, or not `mlp`.
        InputError: what is needed and cannot be found out was not given, or `mlp` is no mode.
    """
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    kind, prefixes = _backbone(shapes)
    first = [f"{stage}.0" for stage in prefixes]
    dims = tuple(_shape(shapes, f"{block}.norm1.weight", 1)[0] for block in first)
    patch = _shape(shapes, "patch_embed.proj.weight", 4)
    sizes: dict[str, Any] = {
        "patch_size": patch[2],
        "channels": patch[1],
        "dims": dims,
        "depths": tuple(_count(shapes, stage) for stage in prefixes),
        "mlp_dims": tuple(_shape(shapes, f"{block}.mlp.fc1.weight", 2)[0] for block in first),
        "attention": _attention(shapes, first[0], full_precision, mlp),
    }
    assumed = ""
    if kind is SwinConfig:
        tables = [_shape(shapes, f"{block}.attn.relative_position_bias_table", 2) for block in first]
        window = (_root(tables[0][0]) + 1) // 2
        sizes |= {"heads": tuple(table[1] for table in tables), "window": window}
        sizes["classes"] = _shape(shapes, "head.fc.weight", 2)[0]
        sizes["image_size"] = image_size or window * 2 ** (len(dims) - 1) * patch[2]
        if image_size is None:
            assumed = f"images assumed to be {sizes['image_size']} pixels a side: one window in the last stage"
    else:
        sizes["classes"] = _shape(shapes, "head.weight", 2)[0]
        sizes["image_size"] = patch[2] * _token_side(shapes, kind)
        sizes["heads"] = heads or _assumed_heads(dims, _HEAD_DIMS[kind.backbone])
        if heads is None:
            assumed = f"attention heads assumed to be {_HEAD_DIMS[kind.backbone]} wide"
    sizes["mlp"] = "fp" if sizes["attention"] == "full-precision" else _mlp_mode(shapes, first[0], mlp)
    try:
        return kind(**sizes), assumed
    except InputError as error:
        raise CheckpointError(
            f"the shapes of the parameters fit no such model: {error.message}",
            hint="give the model's own config.json, with its heads and image size",
        ) from error


def timm_contradictions(config: ModelConfig, arguments: Mapping[str, Any] | None, mlp: str | None) -> list[str]:
    """Where a training run's arguments or `--mlp` say something else than a config does: one line for each."""
    assert isinstance(config, TimmConfig)
    facts = {"nb_classes": config.classes, "input_size": config.image_size, "img_size": config.image_size}
    given = arguments or {}
    problems = [
        f"{name} is {given[name]} in the arguments, {fact} by the parameters"
        for name, fact in facts.items()
        if given.get(name) is not None and given[name] != fact
    ]
    if mlp is not None and mlp != config.mlp:
        problems.append(f"mlp is {mlp} by what you say, {config.mlp} in the file")
    return problems


def current_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict under the names of timm since 0.9; older Swin files have other names, and buffers as well.

    Older: `layers.0.downsample` at the end of a stage instead of `layers.1.downsample` at the beginning of the next,
    `head.weight` instead of `head.fc.weight`, and `relative_position_index` and `attn_mask` in the file.

    Raises:
        CheckpointError: such a buffer does not hold what a Swin's does.
    """
    if not any(name.startswith("layers.") for name in state):
        return dict(state)
    ends_stages = any(name.startswith("layers.0.downsample.") for name in state)
    renamed = {}
    for name, value in state.items():
        if name.endswith((".relative_position_index", ".attn_mask")):
            _check_buffer(name, value)
            continue
        merging = re.match(r"layers\.(\d+)\.(downsample\..*)", name) if ends_stages else None
        current = f"layers.{int(merging[1]) + 1}.{merging[2]}" if merging else name
        renamed[re.sub(r"^head\.(weight|bias)$", r"head.fc.\1", current)] = value
    return renamed


def swin_image_size(state: Mapping[str, Tensor]) -> int | None:
    """The image size of a Swin whose file holds the mask of its first stage's shifted windows, else None."""
    mask, patch = state.get("layers.0.blocks.1.attn_mask"), state.get("patch_embed.proj.weight")
    if mask is None or patch is None or mask.ndim != 3 or patch.ndim != 4:
        return None
    return _root(mask.shape[0]) * _root(mask.shape[1]) * patch.shape[2]


def _check_buffer(name: str, value: Tensor) -> None:
    """Windows that are cut in another way than by half a window's shift belong to another network."""
    if name.endswith("attn_mask"):
        windows, tokens = value.shape[0], value.shape[-1]
        window = _root(tokens)
        side = _root(windows) * window
        expected = shift_mask((side, side), window, window // 2).squeeze(1)
    else:
        expected = relative_position_index(_root(value.shape[0]))
    if value.shape != expected.shape or not bool((value == expected).all()):
        raise CheckpointError(
            f"`{name}` is not that of a Swin transformer",
            hint="give the checkpoint of an unchanged Swin, square images",
        )


def _backbone(shapes: _Shapes) -> tuple[type[TimmConfig], list[str]]:
    """The kind of config, and the names of each stage's blocks without their number."""
    if any(name.startswith("levels.") for name in shapes):
        kind: type[TimmConfig] = NesTConfig
        pattern = "levels.{}.transformer_encoder"
    elif any(name.startswith("layers.") for name in shapes):
        kind, pattern = SwinConfig, "layers.{}.blocks"
    else:
        return DeiTConfig, ["blocks"]
    stages = 0
    while f"{pattern.format(stages)}.0.norm1.weight" in shapes:
        stages += 1
    return kind, [pattern.format(stage) for stage in range(max(stages, 1))]


def _attention(shapes: _Shapes, block: str, full_precision: bool | None, mlp: str | None) -> AttentionKind:
    """Learned scales are BiViT's; without them the names are those of a full-precision network and of its baseline."""
    if f"{block}.attn.qkv.scaling_factor" in shapes:
        return "softmax-aware"
    if full_precision is None and mlp is None:
        raise InputError(
            "the checkpoint may be of a full-precision network or of BiViT's baseline: their parameters have the same "
            "names",
            hint="say which with --model, e.g. bivit-deit-t-full-precision, or with --mlp, e.g. w1a1_ste",
        )
    return "full-precision" if full_precision else "baseline"


def _mlp_mode(shapes: _Shapes, block: str, mlp: str | None) -> MlpMode:
    if mlp is not None and mlp not in MLP_MODES:
        raise InputError(f"unknown mode of MLPs `{mlp}`", hint=_choices(list(MLP_MODES)))
    learned = f"{block}.mlp.fc1.scaling_factor" in shapes
    possible = [mode for mode in MLP_MODES if mode.endswith("pws") == learned]
    chosen = next((mode for mode in possible if mode == mlp), None)
    if chosen is not None:
        return chosen
    if mlp is None:
        raise InputError("the checkpoint does not tell what is binary in its MLPs", hint=_choices(possible))
    raise CheckpointError(
        f"the MLPs have {'' if learned else 'no '}learned scales, so their mode is not `{mlp}`",
        hint=_choices(possible),
    )


def _choices(modes: list[MlpMode]) -> str:
    return "say it with --mlp: " + "; ".join(f"{mode} ({MLP_MODES[mode]})" for mode in modes)


def _token_side(shapes: _Shapes, kind: type[TimmConfig]) -> int:
    if kind is DeiTConfig:
        return _root(_shape(shapes, "pos_embed", 3)[1] - 1)
    _, blocks, tokens, _ = _shape(shapes, "levels.0.pos_embed", 4)
    return _root(blocks) * _root(tokens)


def _count(shapes: _Shapes, stage: str) -> int:
    count = 0
    while f"{stage}.{count}.norm1.weight" in shapes:
        count += 1
    return count


def _shape(shapes: _Shapes, name: str, rank: int) -> tuple[int, ...]:
    if name not in shapes:
        raise CheckpointError(f"the checkpoint lacks `{name}`", hint="give the whole state dict")
    if len(shapes[name]) != rank:
        raise CheckpointError(
            f"`{name}` has shape {shapes[name]} where {rank} axes are expected", hint="give the state dict unchanged"
        )
    return shapes[name]


def _root(value: int) -> int:
    root = math.isqrt(max(value, 0))
    if root * root != value:
        raise CheckpointError(f"{value} tokens form no square", hint="edgebin reads models of square images")
    return root


def _assumed_heads(dims: tuple[int, ...], head_dim: int) -> tuple[int, ...]:
    if any(dim % head_dim for dim in dims):
        raise CheckpointError(
            f"the checkpoint does not say how many attention heads there are, and {dims} are not all multiples of "
            f"{head_dim}",
            hint="give the model's config.json along with the checkpoint",
        )
    return tuple(dim // head_dim for dim in dims)
