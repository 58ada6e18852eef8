"""Reads the file formats of checkpoints, all of them as untrusted input, without knowing any model."""

from __future__ import annotations

import argparse
import json
import pickle
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from edgebin.errors import CheckpointError

METADATA_KEY = "edgebin"

# Beginnings of files that are often given by mistake.
_NOT_CHECKPOINTS = {
    b"version https://git-lfs": "a Git LFS pointer, not the file it points to",
    b"<": "a web page; the download did not deliver the file",
    b"\x89HDF": "an HDF5 file, such as Keras writes",
}
_ZIP, _PICKLE, _SAFETENSORS_HEADER = b"PK\x03\x04", b"\x80", b"{"
# Where training scripts keep the weights, and their moving average, which timm writes as well.
_TRAINED, _AVERAGED = ("model", "state_dict"), ("model_ema", "state_dict_ema")
# What torch.load raises on damaged bytes, besides UnpicklingError.
_DAMAGE = (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error)


@dataclass(frozen=True)
class CheckpointFile:
    """What a file holds.

    Args:
        state: parameters and buffers by name, without the `module.` that data-parallel training prefixes.
        arguments: the training run's command-line arguments, where the file has them.
        metadata: what edgebin wrote about the model, where edgebin wrote the file.
        description: the format, for people.
    """

    state: dict[str, Tensor]
    arguments: dict[str, Any] | None
    metadata: Any
    description: str


def read_checkpoint_file(path: Path) -> CheckpointFile:
    """Reads a `.pth`, `.pt` or `.safetensors` file, told apart by content; no code in it is ever run.

    Raises:
        CheckpointError: missing, damaged, no checkpoint, or one that wants to run code.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise CheckpointError(f"cannot read `{path}`: {error.strerror}", hint="check the path") from error
    if start[8:9] == _SAFETENSORS_HEADER:
        return _read_safetensors(path)
    if start.startswith((_ZIP, _PICKLE)):
        return _read_torch(path)
    looks_like = next((text for magic, text in _NOT_CHECKPOINTS.items() if start.startswith(magic)), None)
    raise CheckpointError(
        f"`{path}` is {looks_like or ('no checkpoint' if start else 'empty')}",
        hint="give a PyTorch (.pth, .pt) or safetensors file",
    )


def _read_safetensors(path: Path) -> CheckpointFile:
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            metadata = (file.metadata() or {}).get(METADATA_KEY)
        parsed = None if metadata is None else json.loads(metadata)
    except (SafetensorError, ValueError, OSError) as error:
        raise _damaged(path, error) from error
    return CheckpointFile(_without_prefix(state), None, parsed, "safetensors")


def _read_torch(path: Path) -> CheckpointFile:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        name = re.search(r"GLOBAL ([\w.]+)", str(error))
        if name is None:
            raise _damaged(path, error) from error
        raise CheckpointError(
            f"`{path}` is a pickle that would run code: it asks for `{name.group(1)}`",
            hint="save a plain state dict (torch.save(model.state_dict(), …)) or safetensors instead",
        ) from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    return _unwrap(path, content)


def _unwrap(path: Path, content: object) -> CheckpointFile:
    """The state dict inside the dict that a training script saved; bare state dicts are taken as they are.

    Trained weights come before their moving average (EMA), whose accuracy the published scripts do not report.
    """
    arguments, description, state = None, "PyTorch state dict", content
    if isinstance(content, dict) and "args" in content and isinstance(content["args"], argparse.Namespace):
        arguments = vars(content["args"])
    holds = [key for key in (*_TRAINED, *_AVERAGED) if isinstance(content, dict) and isinstance(content.get(key), dict)]
    if isinstance(content, dict) and holds:
        state, description = content[holds[0]], "PyTorch training checkpoint"
        if holds[0] in _AVERAGED:
            description += f", averaged weights (`{holds[0]}`)"
        elif set(holds) & set(_AVERAGED):
            description += f", its trained weights (`{holds[0]}`), not the averaged ones"
    if not isinstance(state, dict) or not state or not all(isinstance(name, str) for name in state):
        raise CheckpointError(f"`{path}` holds no state dict", hint="save torch.save(model.state_dict(), …)")
    other = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if other:
        raise CheckpointError(
            f"`{path}` holds no state dict: `{other[0]}` is no tensor", hint="save torch.save(model.state_dict(), …)"
        )
    return CheckpointFile(_without_prefix(state), arguments, None, description)


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    if state and all(name.startswith("module.") for name in state):
        return {name.removeprefix("module."): value for name, value in state.items()}
    return state


def _damaged(path: Path, error: Exception) -> CheckpointError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CheckpointError(f"`{path}` is damaged or truncated: {reason[:200]}", hint="copy or download it again")
