"""What is compiled: an exported model, or its full-precision twin, with golden inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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

    `random`: the weights are not the checkpoint's but seeded, so that only the latency means anything.
    """

    model: onnx.ModelProto
    exported: ExportManifest
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
        return Source(model, exported, inputs, outputs, exported.golden.tolerance)
    twin = twin_model(exported.model, exported.config)
    twin_outputs = run_onnxruntime(twin, dict(inputs), list(outputs))
    tolerance = max(tolerance_for(logits) for logits in twin_outputs.values())
    return Source(twin, exported, inputs, twin_outputs, tolerance, random=True)


def _golden(folder: Path, exported: ExportManifest, name: str) -> Arrays:
    """The golden samples that rounding does not move; all where it moves each."""
    keep = np.array(exported.golden.stable)
    keep = keep if keep.any() else ~keep
    return {key: array[keep] for key, array in read_npz(folder / "golden" / f"{name}.npz").items()}
