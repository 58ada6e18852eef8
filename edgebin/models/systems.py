"""How the checkpoints of each system are understood: what config their parameters mean, and what contradicts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from edgebin.models.bhvit_config import CONV_STAGES, HybridConfig
from edgebin.models.config import BinaryViTConfig, ModelConfig, ViTConfig
from edgebin.models.identify import Kind
from edgebin.models.infer_bhvit import HybridHints, bhvit_disagreements, infer_bhvit
from edgebin.models.infer_config import (
    PublishedConfig,
    StageHints,
    disagreements,
    infer_config,
    published_disagreements,
    stage_widths,
)
from edgebin.models.infer_timm import current_names, infer_timm, swin_image_size, timm_contradictions
from edgebin.models.timm_config import TimmConfig


@dataclass(frozen=True)
class Evidence:
    """What is known besides the parameters; None where it is not.

    Args:
        preset: config of the published network that the file is said to hold.
        published: the model's `config.json`.
        arguments: the training run's command-line arguments.
        full_precision: whether the file is said to hold a full-precision network.
        mlp: what is said to be binary in the MLPs, of BiViT's modes.
    """

    preset: ModelConfig | None = None
    published: PublishedConfig | None = None
    arguments: Mapping[str, Any] | None = None
    full_precision: bool | None = None
    mlp: str | None = None


@dataclass(frozen=True)
class System:
    """How checkpoints of one system are read.

    Args:
        full_precision: whether its networks are full precision; None where both kinds have the same names.
        infer: the config of parameters and evidence, and what had to be assumed, for people, "" where nothing had to.
        contradictions: where the evidence says something else than a config does, one line for each.
        current_names: brings a state dict to the names that its module has.
    """

    full_precision: bool | None
    infer: Callable[[Mapping[str, Tensor], Evidence], tuple[ModelConfig, str]]
    contradictions: Callable[[ModelConfig, Evidence], list[str]]
    current_names: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] = dict


def _infer_binaryvit(state: Mapping[str, Tensor], evidence: Evidence) -> tuple[ModelConfig, str]:
    return _infer_vit(state, evidence, binary=True)


def _infer_twin(state: Mapping[str, Tensor], evidence: Evidence) -> tuple[ModelConfig, str]:
    return _infer_vit(state, evidence, binary=False)


def _infer_vit(state: Mapping[str, Tensor], evidence: Evidence, *, binary: bool) -> tuple[ModelConfig, str]:
    """Heads and reductions come from a config.json, or from the published network that the file is said to hold."""
    hints = StageHints()
    if evidence.published is not None:
        hints = evidence.published.hints()
    elif isinstance(evidence.preset, ViTConfig) and stage_widths(state) == evidence.preset.dims:
        hints = StageHints(evidence.preset.heads, evidence.preset.reductions)
    assumed = "" if hints.heads else "attention heads assumed to be 64 wide"
    return infer_config(state, binary=binary, hints=hints), assumed


def _vit_contradictions(config: ModelConfig, evidence: Evidence) -> list[str]:
    problems = []
    if evidence.arguments is not None and isinstance(config, BinaryViTConfig):
        problems += disagreements(config, evidence.arguments)
    return problems + published_contradictions(config, evidence)


def published_contradictions(config: ModelConfig, evidence: Evidence) -> list[str]:
    """Where the config.json, if there is one, says something else than `config` does."""
    return [] if evidence.published is None else published_disagreements(config, evidence.published)


def _infer_timm(state: Mapping[str, Tensor], evidence: Evidence) -> tuple[ModelConfig, str]:
    """Heads come from a config.json or the named network, a Swin's image size from there or from the arguments."""
    heads, size = None, None
    if evidence.published is not None:
        heads, size = evidence.published.hints().heads, evidence.published.image_size
    elif isinstance(evidence.preset, TimmConfig):
        heads = evidence.preset.heads
    arguments = evidence.arguments or {}
    return infer_timm(
        current_names(state),
        heads=heads,
        image_size=size or swin_image_size(state) or arguments.get("input_size") or arguments.get("img_size"),
        full_precision=evidence.full_precision,
        mlp=evidence.mlp,
    )


def _timm_contradictions(config: ModelConfig, evidence: Evidence) -> list[str]:
    return timm_contradictions(config, evidence.arguments, evidence.mlp) + published_contradictions(config, evidence)


def _infer_bhvit(state: Mapping[str, Tensor], evidence: Evidence) -> tuple[ModelConfig, str]:
    return infer_bhvit(state, binary=True, hints=_hybrid_hints(evidence))


def _infer_bhvit_twin(state: Mapping[str, Tensor], evidence: Evidence) -> tuple[ModelConfig, str]:
    return infer_bhvit(state, binary=False, hints=_hybrid_hints(evidence))


def _hybrid_hints(evidence: Evidence) -> HybridHints:
    """Heads and windows come from a config.json, heads also from the named network: its window depends on the image."""
    if evidence.published is not None:
        heads = evidence.published.hints().heads
        return HybridHints(heads and heads[CONV_STAGES:], evidence.published.window_size)
    if isinstance(evidence.preset, HybridConfig):
        return HybridHints(evidence.preset.heads)
    return HybridHints()


def _bhvit_contradictions(config: ModelConfig, evidence: Evidence) -> list[str]:
    problems = []
    if evidence.arguments is not None and isinstance(config, HybridConfig):
        problems += bhvit_disagreements(config, evidence.arguments)
    return problems + published_contradictions(config, evidence)


SYSTEMS: dict[Kind, System] = {
    "binaryvit": System(full_precision=False, infer=_infer_binaryvit, contradictions=_vit_contradictions),
    "vit": System(full_precision=True, infer=_infer_twin, contradictions=_vit_contradictions),
    "bhvit": System(full_precision=False, infer=_infer_bhvit, contradictions=_bhvit_contradictions),
    "bhvit-twin": System(full_precision=True, infer=_infer_bhvit_twin, contradictions=_bhvit_contradictions),
    "timm": System(
        full_precision=None, infer=_infer_timm, contradictions=_timm_contradictions, current_names=current_names
    ),
}
