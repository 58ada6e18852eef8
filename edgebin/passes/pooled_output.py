"""The mean over neighbouring channels of a kernel's result is formed before it is stored.

    y, bits = F(…);  ReduceMean(Reshape(y, [..., n / r, r]), axis = -1)   →   mean, bits = F(…; pool = r)

y must have no other use: its bits were taken already, so the wide tensor is never written to memory.
"""

from __future__ import annotations

from dataclasses import replace

import onnx_ir as ir

from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import (
    LEADING_INPUTS,
    constant,
    fused_node,
    has_epilogue,
    only_user,
    own_attributes,
    read_epilogue,
    replace_node,
    take_over,
)

# What eb_epilogue.pool may be.
POOL_SIZES = (2, 4, 8)


def pool_outputs(model: ir.Model) -> None:
    """Apply the rule to every fused node."""
    graph = model.graph
    for node in list(graph):
        if not has_epilogue(node):
            continue
        epilogue = read_epilogue(node)
        mean = _mean_over_neighbours(node.outputs[0]) if epilogue.stores_out and epilogue.pool == 1 else None
        if mean is None:
            continue
        size, reshape, reduce = mean
        leading = [value for value in node.inputs[: LEADING_INPUTS[node.op_type]] if value is not None]
        fused = fused_node(
            graph,
            node.op_type,
            leading,
            replace(epilogue, pool=size),
            name=node.name or "",
            attributes=own_attributes(node),
        )
        take_over(fused.outputs[0], reduce.outputs[0])
        graph.remove([reduce, reshape], safe=True)
        planes = list(zip(fused.outputs, node.outputs, strict=True))[1:]
        replace_node(node, fused, planes)


def _mean_over_neighbours(out: ir.Value) -> tuple[int, ir.Node, ir.Node] | None:
    """(group size, Reshape, ReduceMean) if that is all that becomes of `out`."""
    reshape = only_user(out, "Reshape")
    reduce = only_user(reshape.outputs[0], "ReduceMean") if reshape else None
    if reshape is None or reduce is None:
        return None
    *_, groups, size = split = static_shape(reshape.outputs[0])
    axes = constant(reduce.inputs[1]) if len(reduce.inputs) > 1 else None
    keeps = reduce.attributes["keepdims"].as_int() if "keepdims" in reduce.attributes else 1
    columns = static_shape(out)[-1]
    if size not in POOL_SIZES or keeps or axes is None or groups * size != columns:
        return None
    if axes.tolist() not in ([-1], [len(split) - 1]):
        return None
    return size, reshape, reduce
