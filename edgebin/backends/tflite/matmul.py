"""Matrix products in full precision → FULLY_CONNECTED for constant weights, else BATCH_MATMUL.

The second operand of BATCH_MATMUL stays as ONNX has it, [k, n]: a transpose to get there costs microseconds, while
tflite_runtime 2.14 runs `adj_y` outside XNNPACK, 3.5 times as slowly (197 × 64 × 197, six heads: 0.64 ms, not 0.18).
"""

from __future__ import annotations

import onnx_ir as ir

from edgebin.backends.tflite.graph import Tensor
from edgebin.backends.tflite.translate import Conversion, Translation, attribute, required
from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import Array, constant


def fully_connected(t: Translation, x: Tensor, weight: Array, bias: Tensor | None = None) -> Tensor:
    """x [..., k] times the transpose of weight [n, k], plus bias [n]."""
    rows = t.graph.constant(f"{t.graph.node}.weight", weight)
    return t.graph.add("FULLY_CONNECTED", [x, rows, bias], (*x.shape[:-1], len(weight)), KeepNumDims=len(x.shape) > 2)


def _matmul(t: Translation, node: ir.Node) -> Tensor:
    a, b, weight = *t.inputs(node), constant(node.inputs[1])
    if weight is not None and weight.ndim == 2 and len(a.shape) > 1:
        return fully_connected(t, a, weight.T)
    if min(len(a.shape), len(b.shape)) < 2:
        raise t.refuse("MatMul of a vector")
    return t.graph.add("BATCH_MATMUL", [a, b], static_shape(node.outputs[0]))


def _gemm(t: Translation, node: ir.Node) -> Tensor:
    x, weight = t.tensor(node.inputs[0]), required(t, node, 1)
    if attribute(node, "alpha", 1.0) != 1 or attribute(node, "beta", 1.0) != 1 or attribute(node, "transA", 0):
        raise t.refuse("Gemm scales its operands or turns the first")
    y = fully_connected(t, x, weight if attribute(node, "transB", 0) else weight.T)
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return y
    return t.graph.add("ADD", [y, t.tensor(node.inputs[2])], y.shape)


TABLE: dict[str, Conversion] = {"MatMul": _matmul, "Gemm": _gemm}
