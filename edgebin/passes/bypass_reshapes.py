"""Kernels that work on rows do not care how the rows are grouped.

    F(Reshape(x), …; residual = Reshape(r))   →   F(x, …; residual = r)   where the reshapes keep the last axis

What F writes keeps its shape. The point is fusion: a producer of x then has F as its direct consumer.
"""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import has_epilogue

# Kernels that need the image's height and width of their first operand.
_NEEDS_IMAGE = ("FusedBinaryConv",)


def bypass_reshapes(model: ir.Model) -> None:
    """Apply the rule to every operand of every fused node."""
    for node in model.graph:
        if not has_epilogue(node) or node.op_type == "FusedMatMul":
            continue
        for index, value in enumerate(node.inputs):
            if value is not None and not (index == 0 and node.op_type in _NEEDS_IMAGE):
                node.replace_input_with(index, _before_reshapes(value))
    RemoveUnusedNodesPass()(model)  # a reshape that nobody reads would still count as a reader


def _before_reshapes(value: ir.Value) -> ir.Value:
    producer = value.producer()
    while producer is not None and producer.op_type == "Reshape" and not producer.domain:
        source = producer.inputs[0]
        if source is None or not static_shape(source) or static_shape(source)[-1] != static_shape(value)[-1]:
            break
        value, producer = source, source.producer()
    return value
