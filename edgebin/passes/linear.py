"""Matrix products with constant weights become fp32 GEMM kernel calls.

MatMul(x, W [k, n])                 →   FusedLinear(x, Wᵀ)
Gemm(x, W, b)                       →   FusedLinear(x, W or Wᵀ, bias=b)
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import Epilogue
from edgebin.passes.fused import add_constant, constant, fused_node, replace_node


def lower_linear(model: ir.Model) -> None:
    """Rewrite every MatMul and Gemm whose second operand is a constant matrix."""
    graph = model.graph
    for node in list(graph):
        if node.domain or node.op_type not in ("MatMul", "Gemm"):
            continue
        x, weight = node.inputs[0], constant(node.inputs[1])
        if x is None or weight is None or weight.ndim != 2 or weight.dtype != np.float32:
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


def _float(node: ir.Node, name: str) -> float:
    return node.attributes[name].as_float() if name in node.attributes else 1.0


def _int(node: ir.Node, name: str) -> int:
    return node.attributes[name].as_int() if name in node.attributes else 0
