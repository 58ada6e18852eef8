"""The full-precision twin of a published system, with random weights: what its binary form is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
import torch

from edgebin.graph.export import export_module
from edgebin.models.own import OWN_MODEL_ID, OwnConfig
from edgebin.models.registry import construct, resolve_config, twin_config


def twin_model(model_id: str, config: Mapping[str, Any]) -> onnx.ModelProto:
    """The twin of a model by its registry id and configuration. Its weights are seeded: it serves for latency only.

    Raises:
        InputError: no such model, or a network of the user's own, of which only they know the twin.
    """
    own = model_id == OWN_MODEL_ID
    twin = twin_config(OwnConfig() if own else resolve_config(model_id, dict(config) or None))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = construct(twin).eval()
    return export_module(module, torch.zeros(1, twin.channels, twin.image_size, twin.image_size))
