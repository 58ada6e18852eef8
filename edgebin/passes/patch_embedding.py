"""A convolution whose windows do not overlap is a matrix product over patches.

Conv(x [b, c, h, w], W [n, c, p, q], bias; stride = kernel, no padding)
    →   Reshape → Transpose → Reshape [b, h/p · w/q, c·p·q] → FusedLinear → [b, h/p · w/q, n]
    →   Transpose → Reshape [b, n, h/p, w/q]

… → Reshape [b, n, h/p · w/q] → Transpose(0, 2, 1)   →   the FusedLinear's own output (tokens first)
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import Epilogue, static_shape
from edgebin.passes.fused import add_constant, constant, fused_node, take_over


def lower_patch_embedding(model: ir.Model) -> None:
    """Rewrite every such convolution with constant weights."""
    for node in list(model.graph):
        if node.op_type == "Conv" and not node.domain and _is_patch_embedding(node):
            _rewrite(model.graph, node)


def _is_patch_embedding(node: ir.Node) -> bool:
    weight = constant(node.inputs[1])
    if weight is None or weight.ndim != 4:
        return False
    kernel = list(weight.shape[2:])

    def ints(name: str, default: list[int]) -> list[int]:
        return list(node.attributes[name].as_ints()) if name in node.attributes else default

    group = node.attributes["group"].as_int() if "group" in node.attributes else 1
    automatic = node.attributes["auto_pad"].as_string() if "auto_pad" in node.attributes else "NOTSET"
    return (
        ints("strides", [1, 1]) == kernel
        and not any(ints("pads", [0, 0, 0, 0]))
        and ints("dilations", [1, 1]) == [1, 1]
        and group == 1
        and automatic in ("NOTSET", "VALID")
    )


def _rewrite(graph: ir.Graph, conv: ir.Node) -> None:
    x, weight = conv.inputs[0], constant(conv.inputs[1])
    assert x is not None
    assert weight is not None
    batch, channels, height, width = static_shape(x)
    columns, _, patch_h, patch_w = weight.shape
    rows_h, rows_w = height // patch_h, width // patch_w
    name, depth = conv.name or "patch_embedding", channels * patch_h * patch_w
    if rows_h * patch_h != height or rows_w * patch_w != width:
        return

    nodes: list[ir.Node] = []

    def reshape(value: ir.Value, shape: list[int], label: str) -> ir.Value:
        target = add_constant(graph, f"{name}.{label}", np.array(shape, np.int64))
        return emit(ir.node("Reshape", [value, target]), value, shape)

    def transpose(value: ir.Value, order: list[int]) -> ir.Value:
        shape = [static_shape(value)[axis] for axis in order]
        return emit(ir.node("Transpose", [value], attributes={"perm": order}), value, shape)

    def emit(node: ir.Node, like: ir.Value, shape: list[int]) -> ir.Value:
        nodes.append(node)
        node.outputs[0].shape, node.outputs[0].type = ir.Shape(shape), like.type
        return node.outputs[0]

    split = reshape(x, [batch, channels, rows_h, patch_h, rows_w, patch_w], "split")
    patches = reshape(transpose(split, [0, 2, 4, 1, 3, 5]), [batch, rows_h * rows_w, depth], "patches")
    bias = constant(conv.inputs[2]) if len(conv.inputs) > 2 else None
    linear = fused_node(
        graph,
        "FusedLinear",
        [patches, add_constant(graph, f"{name}.weight", weight.reshape(columns, depth))],
        Epilogue(bias=None if bias is None else bias.astype(np.float64)),
        name=name,
    )
    tokens = emit(linear, x, [batch, rows_h * rows_w, columns])
    image = reshape(transpose(tokens, [0, 2, 1]), [batch, columns, rows_h, rows_w], "image")
    conv.append(nodes)
    _use_tokens_directly(graph, conv.outputs[0], tokens)
    take_over(image, conv.outputs[0])
    graph.remove(conv, safe=True)


def _use_tokens_directly(graph: ir.Graph, image: ir.Value, tokens: ir.Value) -> None:
    """Consumers that flatten the image and put tokens first need neither."""
    for flatten in [use.node for use in image.uses()]:
        if flatten.op_type not in ("Reshape", "Flatten"):
            continue
        flat = flatten.outputs[0]
        batch, columns, height, width = static_shape(image)
        if static_shape(flat) != (batch, columns, height * width):
            continue
        for turn in [use.node for use in flat.uses()]:
            if turn.op_type == "Transpose" and list(turn.attributes["perm"].as_ints()) == [0, 2, 1]:
                turn.outputs[0].replace_all_uses_with(tokens, replace_graph_outputs=True)
                graph.remove(turn, safe=True)
