"""Matrix products in full precision become GEMM kernel calls.

MatMul(x, W [k, n])                 →   FusedLinear(x, Wᵀ); W constant, or turned from one
Gemm(x, W, b)                       →   FusedLinear(x, W or Wᵀ, bias=b)
MatMul(a […, m, k], b […, k, n])    →   FusedMatMul(a, b)   for the same leading dimensions, b not constant
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import Epilogue, static_shape
from edgebin.passes.fused import Array, add_constant, constant, fused_node, replace_node


def lower_linear(model: ir.Model) -> None:
    """Rewrite every MatMul and Gemm that fits one of the three lines above."""
    graph = model.graph
    for node in list(graph):
        if node.domain or node.op_type not in ("MatMul", "Gemm"):
            continue
        x, weight = node.inputs[0], _weight(node.inputs[1])
        if x is None or x.dtype != ir.DataType.FLOAT:
            continue
        if weight is None:
            _lower_product(graph, node)
            continue
        if weight.ndim != 2:
            continue
        bias = None
        if node.op_type == "MatMul":
            weight = weight.T
        else:
            term = constant(node.inputs[2]) if len(node.inputs) > 2 else None
            plain = _float(node, "alpha") == 1.0 and _float(node, "beta") == 1.0 and not _int(node, "transA")
            if not plain or (len(node.inputs) > 2 and (term is None or term.ndim != 1)):
                continue
            weight = weight if _int(node, "transB") else weight.T
            bias = None if term is None else term.astype(np.float64)
        name = node.name or node.op_type
        packed = add_constant(graph, f"{name}.weight", weight)
        fused = fused_node(graph, "FusedLinear", [x, packed], Epilogue(bias=bias), name=name)
        replace_node(node, fused, [(fused.outputs[0], node.outputs[0])])


def _weight(value: ir.Value | None) -> Array | None:
    """The value as an array: a constant, or one that is only turned and given another shape, as `nn.Linear` does."""
    producer = value.producer() if value is not None else None
    if producer is None or producer.domain or producer.op_type not in ("Transpose", "Reshape"):
        return constant(value)
    array = _weight(producer.inputs[0])
    if array is None or value is None:
        return None
    if producer.op_type == "Reshape":
        return array.reshape(static_shape(value))
    return array.transpose(producer.attributes["perm"].as_ints() if "perm" in producer.attributes else None)


def _lower_product(graph: ir.Graph, node: ir.Node) -> None:
    a, b = node.inputs[0], node.inputs[1]
    if node.op_type != "MatMul" or a is None or b is None or static_shape(a)[:-2] != static_shape(b)[:-2]:
        return
    fused = fused_node(graph, "FusedMatMul", [a, b], Epilogue(), name=node.name or "MatMul")
    replace_node(node, fused, [(fused.outputs[0], node.outputs[0])])


def _float(node: ir.Node, name: str) -> float:
    return node.attributes[name].as_float() if name in node.attributes else 1.0


def _int(node: ir.Node, name: str) -> int:
    return node.attributes[name].as_int() if name in node.attributes else 0
