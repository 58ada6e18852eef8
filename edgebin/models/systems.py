"""How the checkpoints of each system are understood: what config their parameters mean, and what contradicts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from edgebin.models.config import BinaryViTConfig, ModelConfig, ViTConfig
from edgebin.models.identify import Kind
from edgebin.models.infer_config import (
    PublishedConfig,
    StageHints,
    disagreements,
    infer_config,
    published_disagreements,
    stage_widths,
)


@dataclass(frozen=True)
class Evidence:
    """What is known besides the parameters; None where it is not.

    Args:
        preset: config of the published network that the file is said to hold.
        published: the model's `config.json`.
        arguments: the training run's command-line arguments.
    """

    preset: ModelConfig | None = None
    published: PublishedConfig | None = None
    arguments: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class System:
    """How checkpoints of one system are read.

    Args:
        full_precision: whether its networks are full precision.
        infer: the config of parameters and evidence, and what had to be assumed, for people, "" where nothing had to.
        contradictions: where the evidence says something else than a config does, one line for each.
    """

    full_precision: bool
    infer: Callable[[Mapping[str, Tensor], Evidence], tuple[ModelConfig, str]]
    contradictions: Callable[[ModelConfig, Evidence], list[str]]


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


SYSTEMS: dict[Kind, System] = {
    "binaryvit": System(full_precision=False, infer=_infer_binaryvit, contradictions=_vit_contradictions),
    "vit": System(full_precision=True, infer=_infer_twin, contradictions=_vit_contradictions),
}
