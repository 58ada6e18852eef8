"""A residual that is a tensor side by side with itself is read in place.

FusedRows(x; residual = Concat(y, y, …, axis = -1))   →   FusedRows(x; residual = y)   with fewer columns
"""

from __future__ import annotations

from dataclasses import replace

import onnx_ir as ir

from edgebin.passes.fused import fused_node, has_epilogue, own_attributes, read_epilogue, replace_node


def read_tiled_residuals(model: ir.Model) -> None:
    """Apply the rule to every FusedRows; GEMMs take the residual over when epilogues are fused."""
    graph = model.graph
    for node in list(graph):
        if not has_epilogue(node) or node.op_type != "FusedRows":
            continue
        epilogue = read_epilogue(node)
        x = node.inputs[0]
        assert x is not None
        if not any(_tile_of(value) for value in (x, *epilogue.residuals)):
            continue
        # The tiled operand must be the residual, never the rows themselves.
        if _tile_of(x) is not None and len(epilogue.residuals) == 1 and _tile_of(epilogue.residuals[0]) is None:
            if epilogue.scale is not None or epilogue.bias is not None:
                continue
            x, epilogue = epilogue.residuals[0], replace(epilogue, residuals=(x,))
        residuals = tuple(_tile_of(value) or value for value in epilogue.residuals)
        fused = fused_node(
            graph,
            node.op_type,
            [x],
            replace(epilogue, residuals=residuals),
            name=node.name or "",
            attributes=own_attributes(node),
        )
        replace_node(node, fused, list(zip(fused.outputs, node.outputs, strict=True)))


def _tile_of(value: ir.Value) -> ir.Value | None:
    """The tensor that `value` repeats along its last axis, if it does."""
    producer = value.producer()
    if producer is None or producer.op_type != "Concat" or value.shape is None:
        return None
    if producer.attributes["axis"].as_int() not in (-1, len(value.shape) - 1):
        return None
    first = producer.inputs[0]
    return first if first is not None and all(part is first for part in producer.inputs) else None
