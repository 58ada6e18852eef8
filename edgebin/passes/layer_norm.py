"""Layer normalisation over the last axis becomes a kernel call whose gain and bias are its epilogue's.

LayerNormalization <axis = last, epsilon> (x, gain, bias)   →   FusedLayerNorm <epsilon> (x; scale = gain, bias)

What follows then joins that epilogue: where a threshold is all that reads the result, only bits are stored.
"""

from __future__ import annotations

import onnx_ir as ir

from edgebin.passes.epilogue import Epilogue, Vector, static_shape
from edgebin.passes.fused import constant, fused_node, replace_node


def lower_layer_norm(model: ir.Model) -> None:
    """Rewrite every LayerNormalization of float32 rows with constant gain and bias whose statistics nobody reads."""
    graph = model.graph
    for node in list(graph):
        if node.op_type != "LayerNormalization" or node.domain:
            continue
        x = node.inputs[0]
        vectors = [_vector(value) for value in node.inputs[1:] if value is not None]
        if x is None or x.dtype != ir.DataType.FLOAT or any(vector is None for vector in vectors):
            continue
        rank = len(static_shape(x))
        axis = node.attributes["axis"].as_int() if "axis" in node.attributes else -1
        epsilon = node.attributes["epsilon"].as_float() if "epsilon" in node.attributes else 1e-5
        statistics = any(value.uses() or value.is_graph_output() for value in node.outputs[1:])
        if rank < 2 or axis % rank != rank - 1 or epsilon <= 0 or statistics:
            continue
        gain, bias = (*vectors, None)[:2]
        name = node.name or node.op_type
        epilogue = Epilogue(scale=gain, bias=bias)
        fused = fused_node(graph, "FusedLayerNorm", [x], epilogue, name=name, attributes={"epsilon": epsilon})
        replace_node(node, fused, [(fused.outputs[0], node.outputs[0])])


def _vector(value: ir.Value) -> Vector | None:
    array = constant(value)
    return None if array is None or array.ndim != 1 else array.astype("float64")
