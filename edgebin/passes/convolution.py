"""A convolution whose windows overlap is a matrix product as well, over patches that are gathered first.

Conv(x [b, c, h, w], W [n, c/g, p, q], bias; group = g)
    →   Pad → Reshape [b, g, c/g, …] → Gather → Reshape [b, g, c/g·p·q, pixels]
    →   FusedMatMul(W [b, g, n/g, c/g·p·q], patches) → [b, g, n/g, pixels] → Reshape [b, n, h', w'] → Add bias

TVM's own code for a convolution on a processor has no schedule: on x86-64 it takes ten times as long as this.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import Epilogue, static_shape
from edgebin.passes.fused import Array, add_constant, constant, fused_node, take_over


def lower_convolution(model: ir.Model) -> None:
    """Rewrite every two-dimensional convolution with constant weights and explicit padding."""
    for node in list(model.graph):
        if node.op_type == "Conv" and not node.domain and _fits(node):
            _rewrite(model.graph, node)


def _fits(node: ir.Node) -> bool:
    weight, automatic = constant(node.inputs[1]), node.attributes.get("auto_pad")
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    explicit = automatic is None or automatic.as_string() in ("NOTSET", "VALID")
    return weight is not None and weight.ndim == 4 and explicit and (bias is None or constant(bias) is not None)


def _rewrite(graph: ir.Graph, conv: ir.Node) -> None:
    x, weight = conv.inputs[0], constant(conv.inputs[1])
    assert x is not None
    assert weight is not None
    (batch, channels, _, _), (_, columns, height, width) = static_shape(x), static_shape(conv.outputs[0])
    groups = conv.attributes["group"].as_int() if "group" in conv.attributes else 1
    depth, pixels, name = weight[0].size, height * width, conv.name or "convolution"
    float32, nodes = x.type, list[ir.Node]()

    def emit(op_type: str, inputs: list[ir.Value], shape: list[int], **attributes: int) -> ir.Value:
        nodes.append(ir.node(op_type, inputs, attributes=attributes, name=f"{name}.{op_type.lower()}"))
        nodes[-1].outputs[0].shape, nodes[-1].outputs[0].type = ir.Shape(shape), float32
        return nodes[-1].outputs[0]

    def numbers(label: str, values: Array | list[int]) -> ir.Value:
        return add_constant(graph, f"{name}.{label}", np.array(values, np.int64))

    padded = _padded_shape(conv, static_shape(x))
    if list(padded) != list(static_shape(x)[2:]):
        top, left, bottom, right = _ints(conv, "pads", [0, 0, 0, 0])
        borders = numbers("borders", [0, 0, top, left, 0, 0, bottom, right])
        x = emit("Pad", [x, borders], [batch, channels, *padded])
    flat = [batch, groups, channels // groups, padded[0] * padded[1]]
    taps = _taps(conv, weight.shape[2:], padded[1], (height, width))
    gathered = emit(
        "Gather",
        [emit("Reshape", [x, numbers("planes", flat)], flat), numbers("taps", taps)],
        [*flat[:3], taps.size],
        axis=3,
    )
    patches = emit(
        "Reshape", [gathered, numbers("patches", [batch, groups, depth, pixels])], [batch, groups, depth, pixels]
    )
    rows = np.tile(weight.reshape(1, groups, columns // groups, depth), (batch, 1, 1, 1))
    product = fused_node(
        graph, "FusedMatMul", [add_constant(graph, f"{name}.rows", rows), patches], Epilogue(), name=name
    )
    product.outputs[0].shape, product.outputs[0].type = ir.Shape([*rows.shape[:3], pixels]), x.type
    nodes.append(product)
    shape = [batch, columns, height, width]
    image = emit("Reshape", [product.outputs[0], numbers("image", shape)], shape)
    bias = constant(conv.inputs[2]) if len(conv.inputs) > 2 else None
    if bias is not None:
        image = emit("Add", [image, add_constant(graph, f"{name}.bias", bias.reshape(1, columns, 1, 1))], shape)
    conv.append(nodes)
    take_over(image, conv.outputs[0])
    graph.remove(conv, safe=True)


def _padded_shape(conv: ir.Node, shape: tuple[int, ...]) -> tuple[int, int]:
    top, left, bottom, right = _ints(conv, "pads", [0, 0, 0, 0])
    return shape[2] + top + bottom, shape[3] + left + right


def _taps(conv: ir.Node, kernel: tuple[int, ...], row: int, size: tuple[int, int]) -> Array:
    """Where in a padded plane of rows of `row` pixels each tap of each window lies: [taps · windows]."""
    strides, dilations = _ints(conv, "strides", [1, 1]), _ints(conv, "dilations", [1, 1])
    down, across = (
        np.arange(kernel[axis])[:, None] * dilations[axis] + np.arange(size[axis])[None, :] * strides[axis]
        for axis in (0, 1)
    )
    taps: Array = (down[:, None, :, None] * row + across[None, :, None, :]).reshape(-1)
    return taps


def _ints(node: ir.Node, name: str, default: list[int]) -> list[int]:
    return list(node.attributes[name].as_ints()) if name in node.attributes else default
