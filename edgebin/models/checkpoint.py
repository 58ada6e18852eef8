"""From a checkpoint file to a model, strictly, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import save
from torch import Tensor, nn

from edgebin.errors import CheckpointError, InputError
from edgebin.models.checkpoint_file import METADATA_KEY, read_checkpoint_file
from edgebin.models.classifier import ImageClassifier
from edgebin.models.config import ModelConfig, config_to_dict
from edgebin.models.identify import identify
from edgebin.models.infer_config import read_published_config
from edgebin.models.registry import (
    PRESETS,
    construct,
    family_name,
    is_full_precision,
    model_id_of,
    resolve_config,
    twin_config,
)
from edgebin.models.systems import SYSTEMS, Evidence

_SHOWN = 4

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class LoadedModel:
    """A model and where it comes from.

    Args:
        model_id: the published network that it is, or its family.
        config: its sizes and switches.
        module: the model, float32, in evaluation mode; images [B, channels, S, S] → logits [B, classes].
        full_precision: whether it is a full-precision network.
        source: format of the file, and what had to be assumed, for people.
    """

    model_id: str
    config: ModelConfig
    module: ImageClassifier
    full_precision: bool
    source: str


class _Metadata(BaseModel):
    """What `save_checkpoint` writes beside the tensors."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: Literal[1] = Field(alias="schema")
    family: str
    config: dict[str, Any]


def read_checkpoint(
    path: Path, *, model: str | None = None, config: Path | None = None, mlp: str | None = None
) -> LoadedModel:
    """Reads the authors' checkpoints, bare state dicts, and what `save_checkpoint` writes.

    Every parameter must be there, in its shape, and no other. Sizes and switches come from the file where it says them,
    else from the parameters' shapes; whatever says something else is an error.

    Args:
        path: a `.pth`, `.pt` or `.safetensors` file.
        model: id or family that the file must hold, where that is known.
        config: the model's published `config.json`, needed where attention heads are not 64 wide and the file does not
            say so.
        mlp: for BiViT, what is binary in the MLPs (`edgebin.models.timm_config.MLP_MODES`): parameters do not tell.

    Raises:
        CheckpointError: not such a checkpoint, damaged, of another system, or not of `model`.
        InputError: `model`, `config` or `mlp` cannot be used, or is missing.
    """
    file = read_checkpoint_file(path)
    kind = identify(file.state)
    system = SYSTEMS[kind]
    expected = None if model is None else is_full_precision(model)
    _require_precision(path, model, expected, system.full_precision)
    if mlp is not None and kind != "timm":
        raise InputError(
            f"`{path}` is no checkpoint of BiViT, so there is nothing to say about its MLPs", hint="leave --mlp out"
        )
    state = system.current_names(file.state)
    published = None if config is None else read_published_config(config)
    evidence = Evidence(
        preset=None if model is None else PRESETS.get(model),
        published=published,
        arguments=file.arguments,
        full_precision=expected,
        mlp=mlp,
    )
    if file.metadata is not None:
        found, source = _config_of_metadata(path, file.metadata), "safetensors of edgebin"
    else:
        found, assumed = system.infer(file.state, evidence)
        source = f"{file.description}; {assumed}" if assumed else file.description
    problems = system.contradictions(found, evidence)
    if problems:
        raise CheckpointError(
            f"`{path}` contradicts itself: {_some(problems)}", hint="give the file as training wrote it"
        )
    full_precision = is_full_precision(found.family)
    _require_precision(path, model, expected, full_precision)
    if model is not None:
        _require_model(path, found, model)
    with torch.device("meta"):
        empty = construct(found)
    module = load_strictly(path, empty, state, name=model_id_of(found))
    return LoadedModel(model_id_of(found), found, module, full_precision, source)


def save_checkpoint(path: Path, module: ImageClassifier) -> None:
    """Writes a model with its config as safetensors; whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    config = module.config
    metadata = {"schema": 1, "family": family_name(config), "config": config_to_dict(config)}
    state = {name: value.detach().contiguous() for name, value in module.state_dict().items()}
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(save(state, metadata={METADATA_KEY: json.dumps(metadata, sort_keys=True)}))
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"cannot write `{path}`: {error}", hint="name another file") from error


def full_precision_twin(loaded: LoadedModel, *, seed: int = 0) -> ImageClassifier:
    """A full-precision network of the same shape with weights drawn from `seed`, in evaluation mode.

    It says nothing about accuracy: it is the baseline of speed and size. torch's own generator is left alone.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return construct(twin_config(loaded.config)).eval()


def _config_of_metadata(path: Path, metadata: object) -> ModelConfig:
    try:
        parsed = _Metadata.model_validate(metadata)
        return resolve_config(parsed.family, parsed.config)
    except (ValidationError, InputError) as error:
        raise CheckpointError(
            f"`{path}` says about itself what edgebin cannot use: {str(error).splitlines()[0]}",
            hint="it was written by another version of edgebin, or changed since",
        ) from error


def _require_precision(path: Path, model: str | None, expected: bool | None, found: bool | None) -> None:
    if None not in (expected, found) and expected != found:
        raise CheckpointError(
            f"`{path}` holds a {'full-precision' if found else 'binary'} network, not a `{model}`",
            hint="leave the model out to have it inferred, or give another checkpoint",
        )


def _require_model(path: Path, found: ModelConfig, model: str) -> None:
    """Published networks keep their id when trained on other classes or at another size."""
    if model in PRESETS:
        wanted, given = PRESETS[model].identity(), found.identity()
        fields = {field.name for field in dataclasses.fields(wanted)} - {"classes", "image_size", "channels"}
        differences = [
            f"{name} is {getattr(given, name, None)}, not {getattr(wanted, name)}"
            for name in sorted(fields)
            if getattr(given, name, None) != getattr(wanted, name)
        ]
    else:
        differences = [] if family_name(found) == model else [f"it is a `{family_name(found)}`"]
    if differences:
        raise CheckpointError(
            f"`{path}` is not a `{model}`: {_some(differences)}", hint="leave the model out to have it inferred"
        )


def load_strictly(path: Path, module: Module, state: Mapping[str, Tensor], *, name: str) -> Module:
    """Gives `module` the parameters of `state` in float32, all of them and no others; in evaluation mode.

    Args:
        path: where the parameters lay, for errors.
        module: takes their place; its own may be on the meta device.
        state: parameters and buffers by name.
        name: what `module` is called in errors.

    Raises:
        CheckpointError: they are not those of `module`, or not finite.
    """
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in state.items()}
    report = []
    for title, names in (
        ("missing", [name for name in expected if name not in given]),
        ("unexpected", [name for name in given if name not in expected]),
        (
            "of another shape",
            [
                f"{name} {given[name]} instead of {shape}"
                for name, shape in expected.items()
                if given.get(name, shape) != shape
            ],
        ),
    ):
        if names:
            report.append(f"{len(names)} {title} ({_some(names)})")
    if report:
        raise CheckpointError(
            f"the parameters in `{path}` are not those of a `{name}`: {'; '.join(report)}",
            hint="give the checkpoint of the model that was trained, unchanged",
        )
    converted = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    broken = [name for name, value in converted.items() if not torch.isfinite(value).all()]
    if broken:
        raise CheckpointError(
            f"`{path}` holds values that are not finite: {_some(broken)}",
            hint="the training run diverged: give an earlier checkpoint",
        )
    module.load_state_dict(converted, strict=True, assign=True)
    return module.eval()


def _some(lines: list[str]) -> str:
    """The first few of a list, and how many more there are."""
    rest = len(lines) - _SHOWN
    return ", ".join(lines[:_SHOWN]) + (f", … and {rest} more" if rest > 0 else "")
