"""ONNX ops that only move elements → RESHAPE, TRANSPOSE, SLICE and their like; bits move by whole rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from edgebin.backends.tflite.graph import Graph, Shape, Tensor
from edgebin.backends.tflite.translate import (
    Conversion,
    Translation,
    attribute,
    joins_rows,
    required,
    result_shape,
    row_words,
    word_shape,
)
from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import constant


def reshape(graph: Graph, x: Tensor, shape: Shape) -> Tensor:
    """x in another shape; x itself where it has that shape."""
    if x.shape == shape:
        return x
    return graph.add("RESHAPE", [x, graph.ints(shape)], shape, dtype=x.dtype, channels=x.channels)


def transpose(graph: Graph, x: Tensor, order: Sequence[int]) -> Tensor:
    """x with its axes in another order."""
    if list(order) == list(range(len(order))):
        return x
    shape = [x.shape[axis] for axis in order]
    return graph.add("TRANSPOSE", [x, graph.ints(order)], shape, dtype=x.dtype, channels=x.channels)


def _reshape(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    if not joins_rows(t, x, node):
        return reshape(t.graph, x, result_shape(t, x, node))
    shape, _, channels = word_shape(node.outputs[0])
    joined = reshape(t.graph, _whole_words(t, x, node), shape)
    joined.channels = channels
    return joined


def _whole_words(t: Translation, bits: Tensor, node: ir.Node) -> Tensor:
    """Rows in 64-bit words, as ONNX has them, of which all bits count: what was padding is 0."""
    words = row_words(node)
    if bits.shape[-1] == words:
        return bits
    # TFLite pads five axes at most.
    rows = reshape(t.graph, bits, (int(np.prod(bits.shape[:-1])), bits.shape[-1]))
    padded = pad(t.graph, rows, [(0, 0), (0, words - bits.shape[-1])])
    return reshape(t.graph, padded, (*bits.shape[:-1], words))


def _transpose(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    order = list(attribute(node, "perm", range(len(x.shape))[::-1]))
    if x.channels is not None and order[-1] != len(order) - 1:
        raise t.refuse("Transpose moves bits within their rows")
    return transpose(t.graph, x, order)


def _concat(t: Translation, node: ir.Node) -> Tensor:
    parts = t.inputs(node)
    axis = attribute(node, "axis", 0) % len(parts[0].shape)
    if len({part.channels for part in parts}) > 1:
        raise t.refuse("Concat of rows of different numbers of bits")
    if joins_rows(t, parts[0], node):
        parts = [_whole_words(t, part, node) for part in parts]
        shape, dtype, channels = word_shape(node.outputs[0])
    else:
        shape, dtype, channels = result_shape(t, parts[0], node), parts[0].dtype, parts[0].channels
    return t.graph.add("CONCATENATION", parts, shape, dtype=dtype, channels=channels, Axis=axis)


def _slice(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    starts, ends = (required(t, node, index).tolist() for index in (1, 2))
    axes = constant(node.inputs[3]) if len(node.inputs) > 3 else None
    steps = constant(node.inputs[4]) if len(node.inputs) > 4 else None
    rank = len(x.shape)
    begin, end, stride = [0] * rank, list(x.shape), [1] * rank
    numbers = range(len(starts)) if axes is None else axes.tolist()
    for number, axis in enumerate(numbers):
        axis %= rank
        step = 1 if steps is None else int(steps[number])
        if step < 1:
            raise t.refuse("Slice runs backwards")
        begin[axis], end[axis], stride[axis] = *slice(starts[number], ends[number]).indices(x.shape[axis])[:2], step
    return cut(t.graph, x, begin, result_shape(t, x, node), end=end, stride=stride)


def cut(
    graph: Graph, x: Tensor, begin: Sequence[int], shape: Shape, *, end: Sequence[int] = (), stride: Sequence[int] = ()
) -> Tensor:
    """A block of x of this shape; with `stride`, every so manieth element up to `end`."""
    if x.shape == shape:
        return x
    if any(step != 1 for step in stride):
        bounds = [graph.ints(values) for values in (begin, end, stride)]
        return graph.add("STRIDED_SLICE", [x, *bounds], shape, dtype=x.dtype, channels=x.channels)
    return graph.add("SLICE", [x, graph.ints(begin), graph.ints(shape)], shape, dtype=x.dtype, channels=x.channels)


def _split(t: Translation, node: ir.Node) -> list[Tensor]:
    x = t.tensor(node.inputs[0])
    axis = attribute(node, "axis", 0) % len(x.shape)
    begin = [0] * len(x.shape)
    parts = []
    for number in range(len(node.outputs)):
        shape = result_shape(t, x, node, output=number)
        parts.append(cut(t.graph, x, begin, shape))
        begin[axis] += shape[axis]
    return parts


def _expand(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    shape = result_shape(t, x, node)
    if x.shape == shape:
        return x
    return t.graph.add("BROADCAST_TO", [x, t.graph.ints(shape)], shape, dtype=x.dtype, channels=x.channels)


def _gather(t: Translation, node: ir.Node) -> Tensor:
    x, axis = t.tensor(node.inputs[0]), attribute(node, "axis", 0)
    axis %= len(x.shape)
    index = required(t, node, 1)
    if x.channels is not None and axis == len(x.shape) - 1:
        raise t.refuse("Gather picks bytes of bits")
    positions = t.graph.constant(f"{t.graph.node}.positions", (index % x.shape[axis]).astype(np.int32))
    return t.graph.add(
        "GATHER", [x, positions], result_shape(t, x, node), dtype=x.dtype, channels=x.channels, Axis=axis
    )


def _pad(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    widths = required(t, node, 1)
    value = constant(node.inputs[2]) if len(node.inputs) > 2 else None
    axes = constant(node.inputs[3]) if len(node.inputs) > 3 else None
    if attribute(node, "mode", "constant") != "constant" or axes is not None or (widths < 0).any():
        raise t.refuse("only padding with a constant, on named sides of all axes, is converted")
    if x.channels is not None:
        raise t.refuse("Pad of bits")
    return pad(t.graph, x, widths.reshape(2, -1).T.tolist(), 0.0 if value is None else value.item())


def pad(graph: Graph, x: Tensor, widths: Sequence[Sequence[int]], value: float = 0.0) -> Tensor:
    """x with so many elements of this value before and after each axis."""
    if not np.any(widths):
        return x
    shape = [size + before + after for size, (before, after) in zip(x.shape, widths, strict=True)]
    sides = graph.constant("pads." + "x".join(map(str, np.ravel(widths))), np.array(widths, np.int32))
    if value == 0:
        return graph.add("PAD", [x, sides], shape, dtype=x.dtype)
    return graph.add(
        "PADV2", [x, sides, graph.constant(f"value.{value}", np.array(value, x.dtype))], shape, dtype=x.dtype
    )


def _flatten(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    return reshape(t.graph, x, static_shape(node.outputs[0]))


TABLE: dict[str, Conversion] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _reshape,
    "Unsqueeze": _reshape,
    "Transpose": _transpose,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Expand": _expand,
    "Gather": _gather,
    "Pad": _pad,
}
