"""Small networks of every system, frozen, with images; and what a lowered one computes in integers, laid open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import torch

from edgebin.graph.export import export_module
from edgebin.models.checkpoint import read_checkpoint
from edgebin.models.registry import construct
from edgebin.nn.freeze import freeze
from examples.digits.data import load as load_digits
from tests.backends.test_systems import NETS
from tests.road import CONFIG

BATCH = 2
NAMES = ("digits", "binaryvit", *NETS)
_DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "checkpoints" / "digits-binary.safetensors"


@dataclass(frozen=True)
class Network:
    """An exported network, images [n, 3, h, w] float32 and PyTorch's logits of them."""

    model: onnx.ModelProto
    images: np.ndarray
    logits: np.ndarray


@cache
def network(name: str, digits: int) -> Network:
    """The network of this name: of the digits, trained, with held-out images; else random, with two random images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        if name == "digits":
            module: torch.nn.Module = read_checkpoint(_DIGITS).module
            images = torch.from_numpy(load_digits().test_images[:digits])
        else:
            config = NETS.get(name, CONFIG)
            module = construct(config)
            # Fresh norms and thresholds are all alike; a trained network's are not.
            for parameter in module.parameters():
                parameter.data += 0.1 * torch.randn_like(parameter)
            images = torch.randn(BATCH, 3, config.image_size, config.image_size)
    frozen = freeze(module.eval())
    with torch.no_grad():
        logits = frozen(images).numpy()
    return Network(export_module(frozen, images[:BATCH]), images.numpy(), logits)


def lay_open_integers(lowered: ir.Model) -> list[str]:
    """Makes outputs of all bits and integers that our ops compute; returns their names."""
    values = [value for node in lowered.graph if node.domain == "edgebin" for value in node.outputs]
    integers = [value for value in values if value.dtype in (ir.DataType.UINT8, ir.DataType.INT32)]
    lowered.graph.outputs.extend(value for value in integers if not value.is_graph_output())
    return [value.name or "" for value in integers]
