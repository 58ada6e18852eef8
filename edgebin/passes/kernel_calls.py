"""Each concept op, and each elementwise op on rows, becomes one kernel call with the shortest epilogue.

    BinaryLinear(bits, W, scale, bias)        →   FusedBinaryLinear(bits, W; scale, bias)
    TernaryLinear, SignedLinear, BinaryConv2d →   FusedTernaryLinear, FusedSignedLinear, FusedBinaryConv, likewise
    SignPack(x, threshold)                    →   FusedRows(x; threshold0) → bits0
    RPReLU(x, shift, slope, offset)           →   FusedRows(x; bias = −shift, slope, offset)
    Mul(x, vector) | Add(x, vector) | Sub     →   FusedRows(x; scale) | FusedRows(x; bias)
    Add(x, y)   same number of columns        →   FusedRows(x; residual0 = y)
    Cast(x int32 → float32)                   →   FusedRows(x)
    PlusStencil(x, taps, bias)                →   FusedStencil(x, taps, bias)

`fuse_epilogues` then merges neighbours. The attention ops are kernel calls already and stay as they are.
"""

from __future__ import annotations

from math import prod

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import Epilogue, Vector, static_shape
from edgebin.passes.fused import DOMAIN, constant, fused_node, replace_node

_PRODUCTS = {
    "BinaryLinear": "FusedBinaryLinear",
    "TernaryLinear": "FusedTernaryLinear",
    "SignedLinear": "FusedSignedLinear",
    "BinaryConv2d": "FusedBinaryConv",
}


def lower_to_kernel_calls(model: ir.Model) -> None:
    """Rewrite every node named in this module's docstring."""
    graph = model.graph
    for node in list(graph):
        if node.domain == DOMAIN:
            _lower_concept(graph, node)
        elif not node.domain:
            _lower_elementwise(graph, node)


def _lower_concept(graph: ir.Graph, node: ir.Node) -> None:
    values = [value for value in node.inputs if value is not None]
    name = node.name or node.op_type
    if node.op_type in _PRODUCTS:
        *leading, scale, bias = values
        fused = fused_node(
            graph,
            _PRODUCTS[node.op_type],
            leading,
            Epilogue(scale=_required(scale), bias=_required(bias)),
            name=name,
            attributes={key: attribute.as_int() for key, attribute in node.attributes.items()},
        )
    elif node.op_type == "SignPack":
        epilogue = Epilogue(thresholds=(_required(values[1]),), stores_out=False)
        fused = fused_node(graph, "FusedRows", values[:1], epilogue, name=name)
    elif node.op_type == "RPReLU":
        shift, slope, offset = (_required(value) for value in values[1:])
        fused = fused_node(graph, "FusedRows", values[:1], Epilogue(bias=-shift, slope=slope, offset=offset), name=name)
    elif node.op_type == "PlusStencil":
        circular = ir.AttrInt64("circular", node.attributes["circular"].as_int())
        fused = ir.Node(DOMAIN, "FusedStencil", values, attributes=[circular], name=name)
    else:
        return
    replace_node(node, fused, [(fused.outputs[0], node.outputs[0])])


def _lower_elementwise(graph: ir.Graph, node: ir.Node) -> None:
    found = _elementwise(node)
    if found is None:
        return
    x, epilogue = found
    fused = fused_node(graph, "FusedRows", [x], epilogue, name=node.name or node.op_type)
    replace_node(node, fused, [(fused.outputs[0], node.outputs[0])])


def _elementwise(node: ir.Node) -> tuple[ir.Value, Epilogue] | None:
    """The rows operand and the epilogue of an elementwise node, if it is one that `eb_rows` computes."""
    output = node.outputs[0]
    if output.dtype != ir.DataType.FLOAT or output.shape is None or len(output.shape) < 2:
        return None
    if node.op_type == "Cast" and node.inputs[0] is not None and node.inputs[0].dtype == ir.DataType.INT32:
        return node.inputs[0], Epilogue()
    if node.op_type not in ("Mul", "Add", "Sub"):
        return None
    a, b = node.inputs
    assert a is not None
    assert b is not None
    vector = _vector(b, output)
    if vector is not None and a.shape == output.shape:
        if node.op_type == "Mul":
            return a, Epilogue(scale=vector)
        return a, Epilogue(bias=vector if node.op_type == "Add" else -vector)
    vector = _vector(a, output)
    if vector is not None and b.shape == output.shape and node.op_type != "Sub":
        return b, Epilogue(scale=vector) if node.op_type == "Mul" else Epilogue(bias=vector)
    if node.op_type == "Add":
        # A constant table (position embeddings) is read like any other rows, so it belongs second.
        rows, other = (b, a) if a.const_value is not None else (a, b)
        if rows.shape == output.shape and _same_rows(other, output):
            return rows, Epilogue(residuals=(other,))
    return None


def _same_rows(value: ir.Value, output: ir.Value) -> bool:
    sizes, full = static_shape(value), static_shape(output)
    return prod(sizes) == prod(full) and sizes[-1] == full[-1]


def _vector(value: ir.Value, output: ir.Value) -> Vector | None:
    """A constant that varies only along the last axis of `output`, as [columns]."""
    array = constant(value)
    if array is None or array.dtype != np.float32:
        return None
    columns = static_shape(output)[-1]
    assert output.shape is not None
    if array.size == 1:
        return np.full(columns, array.item(), np.float64)
    if array.size == columns and array.shape[-1] == columns and array.ndim <= len(output.shape):
        return array.reshape(columns).astype(np.float64)
    return None


def _required(value: ir.Value) -> Vector:
    array = constant(value)
    assert array is not None, f"{value.name} is not a constant"
    return array.astype(np.float64)
