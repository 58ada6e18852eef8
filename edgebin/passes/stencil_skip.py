"""A stencil adds the tensor that its result would be added to.

FusedRows(x; residual = Reshape(FusedStencil(…)))   →   Reshape(FusedStencil(…, skip = Reshape(x)))
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import add_constant, only_user, read_epilogue, take_over


def add_in_stencils(model: ir.Model) -> None:
    """Apply the rule to every stencil."""
    graph = model.graph
    for node in list(graph):
        if node.op_type == "FusedStencil" and len(node.inputs) == 3:
            _rewrite(graph, node)


def _rewrite(graph: ir.Graph, stencil: ir.Node) -> None:
    image = stencil.outputs[0]
    reshape = only_user(image, "Reshape")
    total = only_user(reshape.outputs[0], "FusedRows") if reshape else None
    if reshape is None or total is None or image.shape is None:
        return
    epilogue = read_epilogue(total)
    x, tokens = total.inputs[0], reshape.outputs[0]
    if len(epilogue.residuals) != 1 or epilogue.stages != {"residuals"}:
        return
    other = epilogue.residuals[0] if x is tokens else x
    if other is None or other.shape != tokens.shape or other.dtype != ir.DataType.FLOAT:
        return
    shape = add_constant(graph, f"{stencil.name}.skip_shape", np.array(static_shape(image), np.int64))
    skip = ir.node("Reshape", [other, shape])
    skip.outputs[0].shape, skip.outputs[0].type = image.shape, other.type
    inputs = [value for value in stencil.inputs if value is not None]
    attributes = [ir.AttrInt64("circular", stencil.attributes["circular"].as_int())]
    summed = ir.Node(stencil.domain, "FusedStencil", [*inputs, skip.outputs[0]], attributes, name=stencil.name)
    summed.outputs[0].shape, summed.outputs[0].type = image.shape, image.type
    back = ir.node("Reshape", [summed.outputs[0], reshape.inputs[1]])
    total.append([skip, summed, back])
    take_over(back.outputs[0], total.outputs[0])
    graph.remove([total, reshape, stencil], safe=True)
