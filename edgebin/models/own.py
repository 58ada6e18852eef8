"""A user's own network, defined in a Python file of theirs from the layers of `edgebin.nn`."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from edgebin.errors import InputError
from edgebin.models.checkpoint import LoadedModel, load_strictly
from edgebin.models.checkpoint_file import read_checkpoint_file
from edgebin.models.classifier import ImageClassifier
from edgebin.models.config import ModelConfig

OWN_MODEL_ID = "own"

_HINT = "--model FILE.py:NAME, where NAME() makes a network that says its `image_shape` (see docs/own-model.md)"


@dataclass(frozen=True)
class OwnConfig(ModelConfig):
    """All that edgebin knows of a user's network: its images and classes. Of its stages it knows nothing.

    Args:
        definition: file name and name that made it, for people.
    """

    definition: str = ""
    depths: tuple[int, ...] = (1,)
    dims: tuple[int, ...] = (1,)

    @property
    def family(self) -> str:
        return OWN_MODEL_ID

    def twin(self) -> ModelConfig:
        """There is none.

        Raises:
            InputError: always.
        """
        raise InputError(
            "edgebin cannot tell the full-precision twin of your own network",
            hint="export your full-precision network as well, and name it: `edgebin profile … --baseline-model FILE`",
        )


class OwnModel(ImageClassifier):
    """A user's network, with what the road needs to know of it."""

    def __init__(self, network: nn.Module, config: OwnConfig) -> None:
        super().__init__(config)
        self.network = network

    def forward(self, pixel_values: Tensor) -> Tensor:
        logits: Tensor = self.network(pixel_values)
        return logits


def is_definition(model: str) -> bool:
    """Whether a model is named by its definition, `FILE.py:NAME`, and not by an id of the registry."""
    return ".py:" in model


def read_own_model(path: Path, definition: str) -> LoadedModel:
    """Makes the network that a definition names and gives it the parameters of a checkpoint, strictly.

    The definition is a program of the user's and is run; the checkpoint is not trusted, as always.

    Args:
        path: `.pth`, `.pt` or `.safetensors`; a state dict of the network.
        definition: `FILE.py:NAME`. NAME is called without arguments and returns an `nn.Module` from images to logits
            [batch, classes], with an attribute `image_shape` = (channels, height, width), height = width.

    Raises:
        InputError: the definition cannot be used.
        CheckpointError: the parameters are not those of the network.
    """
    network = _make(definition)
    shape = getattr(network, "image_shape", None)
    if not (isinstance(shape, tuple) and len(shape) == 3 and shape[1] == shape[2]):
        raise InputError(f"`{definition}` has no `image_shape` = (channels, size, size)", hint=_HINT)
    load_strictly(path, network, read_checkpoint_file(path).state, name=definition)
    with torch.inference_mode():
        logits = network(torch.zeros(2, *shape))
    if not (isinstance(logits, Tensor) and logits.ndim == 2 and logits.shape[0] == 2):
        raise InputError(f"`{definition}` does not give logits [batch, classes]", hint=_HINT)
    file, _, name = definition.rpartition(":")
    config = OwnConfig(
        image_size=shape[1], channels=shape[0], classes=logits.shape[1], definition=f"{Path(file).name}:{name}"
    )
    return LoadedModel(
        OWN_MODEL_ID, config, OwnModel(network, config).eval(), False, f"parameters of {config.definition}"
    )


def _make(definition: str) -> nn.Module:
    file, _, name = definition.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise InputError(f"no such file: `{path}`", hint=_HINT)
    spec = importlib.util.spec_from_file_location(f"edgebin_own_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    make = getattr(module, name, None)
    network = make() if callable(make) else None
    if not isinstance(network, nn.Module):
        raise InputError(f"`{name}` in `{path}` does not make a torch module", hint=_HINT)
    return network
