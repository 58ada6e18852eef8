"""The file for onnxruntime: fused ops with bodies in standard ops round them."""

from __future__ import annotations

import onnx
import onnx_ir as ir

from edgebin.backends.ort.functions import attach_fused_functions
from edgebin.graph.ops import CONCEPT_OPS

# The first with the field `overload` of nodes and functions.
_IR_VERSION = 10


def optimised_model(lowered: ir.Model) -> onnx.ModelProto:
    """A lowered model as a file that stock onnxruntime runs as it is, and with our library on our kernels.

    Its values carry their types and shapes, for tools that read it without our library, which infers them.

    Raises:
        UnsupportedOp: one of our ops has no body.
    """
    model = ir.to_proto(lowered)
    model.ir_version = max(model.ir_version, _IR_VERSION)
    attach_fused_functions(model, lowered)
    model.producer_name, model.producer_version = "edgebin", ""
    _check(model)
    return model


def _check(model: onnx.ModelProto) -> None:
    """With onnx's checker, which knows the concept ops by schemas that have no `variant`."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    for node in plain.graph.node:
        if node.op_type in CONCEPT_OPS:
            kept = [attribute for attribute in node.attribute if attribute.name != "variant"]
            del node.attribute[:]
            node.attribute.extend(kept)
    onnx.checker.check_model(plain)
