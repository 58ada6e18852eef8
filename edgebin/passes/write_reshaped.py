"""A kernel writes its rows in the shape that they are read in.

F(…) → y;  Reshape(y) → z      →   F(…) → z   where the reshape keeps the last axis, and all others that read y
                                             are kernels that work on rows, or reshape them too

For runtimes in which a Reshape is a node that takes its time.
"""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import constant, has_epilogue

# Kernels to which the shape of their first operand means something.
_NEEDS_SHAPE = ("FusedBinaryConv", "FusedMatMul")


def write_reshaped(model: ir.Model) -> None:
    """Apply the rule to every result of every fused node."""
    RemoveUnusedNodesPass()(model)  # what nobody reads would still count as a reader
    graph = model.graph
    for node in list(graph):
        if node.op_type != "Reshape" or node.domain or node.inputs[0] is None:
            continue
        source, result = node.inputs[0], node.outputs[0]
        if not has_epilogue(source.producer()) or source.is_graph_output() or result.is_graph_output():
            continue
        if static_shape(source)[-1] != static_shape(result)[-1]:
            continue
        if all(use.node is node or _takes_any_rows(use.node, use.idx) for use in source.uses()):
            source.shape = result.shape
            result.replace_all_uses_with(source)
            graph.remove(node, safe=True)


def _takes_any_rows(node: ir.Node, index: int) -> bool:
    if node.op_type == "Reshape" and not node.domain:
        # A 0 in its target stands for the size that is there already.
        target = constant(node.inputs[1])
        return index == 0 and target is not None and bool((target != 0).all())
    return has_epilogue(node) and not (index < 2 and node.op_type in _NEEDS_SHAPE)
