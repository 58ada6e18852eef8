"""Norms and means → MEAN, SQUARED_DIFFERENCE, RSQRT and products: TFLite has no op for a norm."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.backends.tflite.graph import Graph, Tensor
from edgebin.backends.tflite.shape_ops import reshape
from edgebin.backends.tflite.translate import Conversion, Translation, attribute, required
from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import constant


def _layer_norm(t: Translation, node: ir.Node) -> Tensor:
    """(x − mean) · rsqrt(variance + epsilon) · gain + bias over the last axis."""
    x, *vectors = t.inputs(node)
    axis = attribute(node, "axis", -1)
    if axis % len(x.shape) != len(x.shape) - 1 or any(value.uses() for value in node.outputs[1:]):
        raise t.refuse("LayerNormalization over more than the last axis, or with its statistics as results")
    graph, rows = t.graph, (*x.shape[:-1], 1)
    mean = _row_mean(graph, x)
    centred = graph.add("SUB", [x, mean], x.shape)
    variance = _row_mean(graph, graph.add("MUL", [centred, centred], x.shape))
    epsilon = np.array(attribute(node, "epsilon", 1e-5), np.float32)
    spread = graph.add("ADD", [variance, graph.constant(f"{graph.node}.epsilon", epsilon)], rows)
    y = graph.add("MUL", [centred, graph.add("RSQRT", [spread], rows)], x.shape)
    y = graph.add("MUL", [y, vectors[0]], x.shape)
    return graph.add("ADD", [y, vectors[1]], x.shape) if len(vectors) > 1 else y


def _row_mean(graph: Graph, x: Tensor) -> Tensor:
    return graph.add("MEAN", [x, graph.ints([len(x.shape) - 1])], (*x.shape[:-1], 1), KeepDims=True)


def _batch_norm(t: Translation, node: ir.Node) -> Tensor:
    """x · gain + shift for each channel, folded in float64."""
    x = t.tensor(node.inputs[0])
    scale, bias, mean, variance = (required(t, node, index).astype(np.float64) for index in range(1, 5))
    if attribute(node, "training_mode", 0):
        raise t.refuse("BatchNormalization in training mode")
    gain = scale / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
    vectors = {"gain": gain, "shift": bias - mean * gain}
    broadcast = (-1,) + (1,) * (len(x.shape) - 2)
    gain_tensor, shift_tensor = (
        t.graph.constant(f"{t.graph.node}.{name}", vector.astype(np.float32).reshape(broadcast))
        for name, vector in vectors.items()
    )
    y = t.graph.add("MUL", [x, gain_tensor], x.shape)
    return t.graph.add("ADD", [y, shift_tensor], x.shape)


def _reduce_mean(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    axes = constant(node.inputs[1]) if len(node.inputs) > 1 else None
    numbers = list(range(len(x.shape))) if axes is None else sorted(int(axis) % len(x.shape) for axis in axes)
    kept = bool(attribute(node, "keepdims", 1))
    return t.graph.add("MEAN", [x, t.graph.ints(numbers)], static_shape(node.outputs[0]), KeepDims=kept)


def _global_average_pool(t: Translation, node: ir.Node) -> Tensor:
    x, shape = t.tensor(node.inputs[0]), static_shape(node.outputs[0])
    mean = t.graph.add("MEAN", [x, t.graph.ints(range(2, len(x.shape)))], shape[:2], KeepDims=False)
    return reshape(t.graph, mean, shape)


TABLE: dict[str, Conversion] = {
    "LayerNormalization": _layer_norm,
    "BatchNormalization": _batch_norm,
    "ReduceMean": _reduce_mean,
    "GlobalAveragePool": _global_average_pool,
}
