"""Samples of every layer's result on the first golden image, so that a wrong layer can be named on the board.

The bundle carries what stock onnxruntime computes (`golden/layers.npz`, an array for each function); the
runner's `--layers` takes the same samples of what the functions really wrote.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir

from edgebin.graph.runtimes import run_onnxruntime

LAYERS_NAME = "golden/layers.npz"
# EB_LAYER_SAMPLES of kernels/runtime/layers.h.
_SAMPLES = 64

Samples = npt.NDArray[np.float64]


def golden_layers(
    model: onnx.ModelProto,
    lowered: ir.Model,
    calls: Mapping[str, str],
    image: Mapping[str, npt.NDArray[np.generic]],
    *,
    words: bool = False,
) -> dict[str, Samples]:
    """Samples of the value that each function writes last, computed from the exported model by stock onnxruntime.

    Args:
        model: the exported model, with an open batch.
        lowered: what the passes made of it; values that both have keep their names.
        calls: the node of each function that is ours.
        image: graph inputs, one row.
        words: the runtime keeps bits as int32 words, not as bytes.
    """
    exported = {value.name: value for value in model.graph.value_info} | {
        value.name: value for value in model.graph.output
    }
    written = {node.name: _exported_name(node.outputs[-1], exported) for node in lowered.graph}
    named = {function: written[node] for function, node in calls.items() if written.get(node)}
    wanted = sorted(set(named.values()))
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    already = {value.name for value in model.graph.output}
    observed.graph.output.extend(exported[name] for name in wanted if name not in already)
    values = run_onnxruntime(observed, dict(image), wanted)
    if words:
        values = {name: array.view("<i4") if array.dtype == np.uint8 else array for name, array in values.items()}
    return {function: sampled(values[name]) for function, name in named.items()}


def _exported_name(value: ir.Value, exported: Container[str | None]) -> str:
    """The name under which the exported graph knows a value, or its elements in another shape; empty if it does not."""
    if value.name in exported:
        return value.name or ""
    for use in value.uses():
        if use.node.op_type == "Reshape" and use.node.outputs[0].name in exported:
            return use.node.outputs[0].name or ""
    return ""


def sampled(array: npt.NDArray[np.generic]) -> Samples:
    """Elements 0, s, 2s, … with s = max(1, size / 64), at most 64 of them."""
    step = max(1, array.size // _SAMPLES)
    return array.reshape(-1)[::step][:_SAMPLES].astype(np.float64)
