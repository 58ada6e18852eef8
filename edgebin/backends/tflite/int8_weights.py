"""Dynamic-range quantisation, as TF's converter has it: int8 weights in products whose activations stay float.

    FULLY_CONNECTED(x, weight float32)   →   FULLY_CONNECTED(x, weight int8, one scale)

Runtimes then quantise x row by row. One scale for all rows of the weights, for tflite_runtime 2.14 ignores the others:
its results are zeros.
"""

from __future__ import annotations

import numpy as np

from edgebin.backends.tflite.graph import Graph

_LARGEST = 127


def quantize_weights(graph: Graph) -> None:
    """Rewrite every product with constant weights."""
    for operator in graph.operators:
        weight = operator.inputs[1] if operator.kind == "FULLY_CONNECTED" else None
        if weight is None or weight.data is None or weight.dtype != np.float32 or not weight.data.any():
            continue
        scale = np.float32(np.abs(weight.data).max() / _LARGEST)
        rounded = np.rint(weight.data / scale).clip(-_LARGEST, _LARGEST).astype(np.int8)
        operator.inputs[1] = graph.constant(f"{weight.name}.int8", rounded, scales=np.array([scale]))
