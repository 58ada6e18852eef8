"""Picking one constant position is a slice.

    Gather(x, i, axis)   →   Reshape(Slice(x, i … i + 1, axis))

TVM compiles a Gather into code that does not check its indices, and warns of it; a slice needs no check.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import add_constant, constant, take_over


def slice_constant_gathers(model: ir.Model) -> None:
    """Rewrite every Gather whose index is a constant scalar."""
    graph = model.graph
    for node in list(graph):
        if node.op_type != "Gather" or node.domain:
            continue
        x, index = node.inputs[0], constant(node.inputs[1])
        if x is None or index is None or index.size != 1:
            continue
        axis = node.attributes["axis"].as_int() if "axis" in node.attributes else 0
        length = static_shape(x)[axis]
        start = int(index.item()) % length
        name = node.name or "gather"
        bounds = [
            add_constant(graph, f"{name}.{label}", np.array([value], np.int64))
            for label, value in (("start", start), ("end", start + 1), ("axis", axis))
        ]
        cut = ir.node("Slice", [x, *bounds], name=name)
        shape = [1 if i == axis % len(static_shape(x)) else size for i, size in enumerate(static_shape(x))]
        cut.outputs[0].shape, cut.outputs[0].type = ir.Shape(shape), x.type
        target = add_constant(graph, f"{name}.shape", np.array(static_shape(node.outputs[0]), np.int64))
        flat = ir.node("Reshape", [cut.outputs[0], target])
        node.append([cut, flat])
        take_over(flat.outputs[0], node.outputs[0])
        graph.remove(node, safe=True)
