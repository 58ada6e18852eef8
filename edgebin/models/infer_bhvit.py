"""Works out the config of a BHViT, or of its twin, from the shapes of its parameters.

The size of the attention windows leaves no trace in them, nor, with the option `gsb` and in the twin, the number of
heads. Without a config.json the rules of the published networks are used: windows are 7 tokens a side where that fits,
else as large as the last stage, and heads are 64 wide.

Source: Gao et al., BHViT, published configs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from edgebin.errors import CheckpointError, InputError
from edgebin.models.bhvit_config import CONV_STAGES, STAGES, BHViTConfig, HybridConfig

_HEAD_DIM = 64
_PUBLISHED_WINDOW = 7
_EMBEDDINGS = "vit.embeddings"
_ENCODER = "vit.encoder"

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class HybridHints:
    """What shapes do not tell; None where it is not known. `heads` are those of the stages that attend."""

    heads: tuple[int, ...] | None = None
    window: int | None = None


def infer_bhvit(state: Mapping[str, Tensor], *, binary: bool, hints: HybridHints) -> tuple[HybridConfig, str]:
    """The config of a BHViT (or of its twin, where not `binary`), and what had to be assumed, for people.

    Raises:
        CheckpointError: a parameter that every such model has is missing, or the shapes fit no config.
    """
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    projection = _shape(shapes, f"{_EMBEDDINGS}.patch_embeddings.proj.weight", 4)
    height, width = _shape(shapes, f"{_EMBEDDINGS}.position_embeddings", 4)[2:]
    if height != width:
        raise CheckpointError(
            f"the positions are those of {height} x {width} tokens, no square image",
            hint="edgebin reads models of square images",
        )
    depths, dims, mlp_dims, first = _stage_shapes(shapes, binary=binary)
    assumptions = []
    heads = _quantizer_heads(shapes, first) or hints.heads
    if heads is None:
        heads = tuple(max(dim // _HEAD_DIM, 1) for dim in dims[CONV_STAGES:])
        assumptions.append("attention heads assumed to be 64 wide")
    window = hints.window
    if window is None:
        window = _assumed_window(height)
        if window != _PUBLISHED_WINDOW:
            assumptions.append(f"attention windows assumed to be {window} tokens a side")
    common: dict[str, Any] = {
        "image_size": height * projection[2],
        "patch_size": projection[2],
        "channels": projection[1],
        "classes": _shape(shapes, "classifier.weight", 2)[0],
        "depths": depths,
        "dims": dims,
        "mlp_dims": mlp_dims,
        "heads": heads,
        "window": window,
    }
    try:
        config = BHViTConfig(**common, **_switches(shapes)) if binary else HybridConfig(**common)
    except InputError as error:
        raise CheckpointError(
            f"the shapes of the parameters fit no such model: {error.message}", hint="give the model's own config.json"
        ) from error
    return config, ", ".join(assumptions)


def bhvit_disagreements(config: HybridConfig, arguments: Mapping[str, Any]) -> list[str]:
    """Where a training run's arguments say something else than the parameters do: one line for each."""
    facts: dict[str, object] = {"nb_classes": config.classes, "input_size": config.image_size}
    if isinstance(config, BHViTConfig):
        facts |= {
            "weight_bits": 1,
            "input_bits": 1,
            "some_fp": config.full_precision_downsampling,
            "gsb": config.gsb,
            "shift3": 3 in config.shifts,
            "shift5": 5 in config.shifts,
            "replace_ln_bn": config.norm == "batch",
            "disable_layerscale": not config.layer_scale,
            "enable_cls_token": False,
        }
    return [
        f"{name} is {arguments[name]} in the arguments, {fact} by the parameters"
        for name, fact in facts.items()
        if arguments.get(name, fact) != fact
    ]


def _switches(shapes: Shapes) -> dict[str, Any]:
    return {
        "full_precision_downsampling": f"{_ENCODER}.patch_embed1.move" not in shapes,
        "gsb": f"{_ENCODER}.layerB.0.attention.attention.att_prob_clip2" in shapes,
        "shifts": tuple(size for size in (3, 5) if f"{_ENCODER}.layerA.0.layerscale_ch{size}.alpha" in shapes),
        "layer_scale": f"{_ENCODER}.layerA.0.output.layerscale.alpha" in shapes,
        "norm": "batch" if f"{_ENCODER}.layerA.0.layernorm_before.running_mean" in shapes else "layer",
    }


def _stage_shapes(
    shapes: Shapes, *, binary: bool
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], list[str]]:
    """Depths, widths, MLP widths and the first layer of each stage; a stage ends where list or width changes."""
    suffix = "intermediate.dense.weight" if binary else "intermediate.weight"
    depths: list[int] = []
    dims: list[int] = []
    mlp_dims: list[int] = []
    first: list[str] = []
    for part in ("layerA", "layerB"):
        layer, width_before = 0, None
        while f"{_ENCODER}.{part}.{layer}.{suffix}" in shapes:
            hidden, dim = _shape(shapes, f"{_ENCODER}.{part}.{layer}.{suffix}", 2)
            if dim != width_before:
                depths.append(0)
                dims.append(dim)
                mlp_dims.append(hidden)
                first.append(f"{_ENCODER}.{part}.{layer}")
            depths[-1] += 1
            layer, width_before = layer + 1, dim
        if layer == 0:
            raise CheckpointError(
                f"the checkpoint lacks `{_ENCODER}.{part}.0.{suffix}`", hint="give the whole state dict"
            )
    if len(dims) != STAGES:
        raise CheckpointError(
            f"the layers are {', '.join(map(str, dims))} wide, which is not a BHViT of {STAGES} stages",
            hint="give the whole state dict",
        )
    return tuple(depths), tuple(dims), tuple(mlp_dims), first


def _quantizer_heads(shapes: Shapes, first: list[str]) -> tuple[int, ...] | None:
    names = [f"{layer}.attention.attention.att_prob_quantizer.alpha" for layer in first[CONV_STAGES:]]
    if not all(name in shapes for name in names):
        return None
    return tuple(_shape(shapes, name, 1)[0] for name in names)


def _assumed_window(side: int) -> int:
    sides = [side // 2**stage for stage in range(CONV_STAGES, STAGES)]
    fits = all(tokens and tokens % _PUBLISHED_WINDOW == 0 for tokens in sides)
    return _PUBLISHED_WINDOW if fits else max(sides[-1], 1)


def _shape(shapes: Shapes, name: str, rank: int) -> tuple[int, ...]:
    if name not in shapes:
        raise CheckpointError(f"the checkpoint lacks `{name}`", hint="give the whole state dict")
    if len(shapes[name]) != rank:
        raise CheckpointError(
            f"`{name}` has shape {shapes[name]} where {rank} axes are expected", hint="give the state dict unchanged"
        )
    return shapes[name]
