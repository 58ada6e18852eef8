"""ONNX ops that work on each element alone → the TFLite builtins of the same meaning."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.backends.tflite.graph import Tensor
from edgebin.backends.tflite.translate import Conversion, Translation, attribute, required
from edgebin.passes.epilogue import static_shape


def _pairwise(kind: str) -> Conversion:
    def convert(t: Translation, node: ir.Node) -> Tensor:
        a, b = t.inputs(node)
        return t.graph.add(kind, [a, b], static_shape(node.outputs[0]), dtype=a.dtype)

    return convert


def _maximum(t: Translation, node: ir.Node) -> Tensor:
    first, *others = t.inputs(node)
    for other in others:
        first = t.graph.add("MAXIMUM", [first, other], np.broadcast_shapes(first.shape, other.shape), dtype=first.dtype)
    return first


def _unary(kind: str) -> Conversion:
    def convert(t: Translation, node: ir.Node) -> Tensor:
        x = t.tensor(node.inputs[0])
        return t.graph.add(kind, [x], x.shape, dtype=x.dtype)

    return convert


def _gelu(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    return t.graph.add("GELU", [x], x.shape, Approximate=attribute(node, "approximate", "none") == "tanh")


def _cast(t: Translation, node: ir.Node) -> Tensor:
    x, target = t.tensor(node.inputs[0]), node.outputs[0].dtype
    assert target is not None
    if x.channels is not None or target == ir.DataType.UINT8:
        raise t.refuse("bits cannot be cast")
    if x.dtype == target.numpy():
        return x
    return t.graph.add("CAST", [x], x.shape, dtype=target.numpy())


def _same(t: Translation, node: ir.Node) -> Tensor:
    return t.tensor(node.inputs[0])


def _softmax(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    if attribute(node, "axis", -1) not in (-1, len(x.shape) - 1):
        raise t.refuse("TFLite's softmax is over the last axis only")
    return t.graph.add("SOFTMAX", [x], x.shape, Beta=1.0)


def rprelu(t: Translation, node: ir.Node) -> Tensor:
    """RPReLU(x, shift, slope, offset) → SUB, PRELU, ADD."""
    x, shift, slope, offset = t.inputs(node)
    # PRELU wants a slope of one axis less than x: the batch has none of its own.
    rows = t.graph.constant(slope.name, required(t, node, 2).reshape((1,) * (len(x.shape) - 2) + (-1,)))
    shifted = t.graph.add("SUB", [x, shift], x.shape)
    activated = t.graph.add("PRELU", [shifted, rows], x.shape)
    return t.graph.add("ADD", [activated, offset], x.shape)


TABLE: dict[str, Conversion] = {
    "Add": _pairwise("ADD"),
    "Sub": _pairwise("SUB"),
    "Mul": _pairwise("MUL"),
    "Div": _pairwise("DIV"),
    "Max": _maximum,
    "Relu": _unary("RELU"),
    "Sigmoid": _unary("LOGISTIC"),
    "Tanh": _unary("TANH"),
    "Sqrt": _unary("SQRT"),
    "Round": _unary("ROUND"),
    "Exp": _unary("EXP"),
    "Gelu": _gelu,
    "Softmax": _softmax,
    "Cast": _cast,
    "Identity": _same,
}
