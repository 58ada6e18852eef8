"""A residual that is itself a plain sum is added term by term.

F(…; residual = FusedRows(a; residuals b, c))   →   F(…; residuals a, b, c)   the inner sum has no other use
"""

from __future__ import annotations

from dataclasses import replace

import onnx_ir as ir

from edgebin.passes.epilogue import MAX_RESIDUALS, static_shape
from edgebin.passes.fused import (
    LEADING_INPUTS,
    fused_node,
    has_epilogue,
    own_attributes,
    read_epilogue,
    replace_node,
)


def flatten_sums(model: ir.Model) -> None:
    """Apply the rule to every fused node with room for the terms."""
    graph = model.graph
    for node in list(graph):
        if not has_epilogue(node):
            continue
        epilogue = read_epilogue(node)
        terms = [_terms(value) for value in epilogue.residuals]
        residuals = tuple(term for group in terms for term in group)
        if len(residuals) == len(terms) or len(residuals) > MAX_RESIDUALS:
            continue
        fused = fused_node(
            graph,
            node.op_type,
            [value for value in node.inputs[: LEADING_INPUTS[node.op_type]] if value is not None],
            replace(epilogue, residuals=residuals),
            name=node.name or "",
            attributes=own_attributes(node),
        )
        replace_node(node, fused, list(zip(fused.outputs, node.outputs, strict=True)))


def _terms(value: ir.Value) -> list[ir.Value]:
    """The terms of a sum that only one node reads, or the value itself."""
    producer = value.producer()
    if producer is None or producer.op_type != "FusedRows" or len(list(value.uses())) != 1:
        return [value]
    epilogue, x = read_epilogue(producer), producer.inputs[0]
    if x is None or x.dtype != ir.DataType.FLOAT or epilogue.stages != {"residuals"} or not epilogue.is_open:
        return [value]
    if any(static_shape(term)[-1] != static_shape(x)[-1] for term in epilogue.residuals):
        return [value]
    return [x, *epilogue.residuals]
