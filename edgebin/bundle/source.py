"""What is compiled: an exported model, or its full-precision twin, with golden inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgebin.bundle.manifest import Form
from edgebin.bundle.npz import read_npz
from edgebin.graph.golden import tolerance_for
from edgebin.graph.load import load_model
from edgebin.graph.manifest import ExportManifest, read_manifest
from edgebin.graph.runtimes import run_onnxruntime
from edgebin.graph.twin import twin_model

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Source:
    """A model with an open batch, its golden `inputs` and `outputs`, and the absolute difference that counts as equal.

    `model_id` and `config` are the registry's. `random`: the weights are not the checkpoint's but seeded, so that only
    the latency means anything.
    """

    model: onnx.ModelProto
    model_id: str
    config: Mapping[str, Any]
    inputs: Arrays
    outputs: Arrays
    tolerance: float
    random: bool = False


def read_source(path: Path, form: Form) -> Source:
    """Reads a folder that `edgebin export` wrote, or the `model.onnx` in it.

    In full precision a full-precision export is what it is; a binary one stands for its twin with random weights, whose
    golden outputs are those of stock onnxruntime.

    Raises:
        InputError: the model cannot be read, or has no twin.
    """
    folder = path if path.is_dir() else path.parent
    model = load_model(path)
    exported = read_manifest(folder)
    inputs, outputs = (_golden(folder, exported, name) for name in ("inputs", "outputs"))
    if form != "full-precision" or exported.full_precision:
        return Source(model, exported.model, exported.config, inputs, outputs, exported.golden.tolerance)
    return twin_source(exported.model, exported.config, inputs)


def twin_source(
    model_id: str, config: Mapping[str, Any], inputs: Arrays, twin: onnx.ModelProto | None = None
) -> Source:
    """The full-precision twin of a model with random weights, or the `twin` that its owner names.

    `inputs` are images of the model, in any number; the golden outputs are what stock onnxruntime makes of them.

    Raises:
        InputError: the model has no twin that edgebin knows.
        ExportError: onnxruntime refuses the twin.
    """
    network = twin or twin_model(model_id, config)
    weights = {initializer.name for initializer in network.graph.initializer}
    names = [value.name for value in network.graph.input if value.name not in weights]
    images = dict(zip(names, inputs.values(), strict=True))
    outputs = run_onnxruntime(network, images, [value.name for value in network.graph.output])
    tolerance = max(tolerance_for(logits) for logits in outputs.values())
    return Source(network, model_id, config, images, outputs, tolerance, random=twin is None)


def _golden(folder: Path, exported: ExportManifest, name: str) -> Arrays:
    """The golden samples that rounding does not move; all where it moves each."""
    keep = np.array(exported.golden.stable)
    keep = keep if keep.any() else ~keep
    return {key: array[keep] for key, array in read_npz(folder / "golden" / f"{name}.npz").items()}
