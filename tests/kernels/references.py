"""What a case of one node computes, from numpy or from the op's body in standard ops."""

from __future__ import annotations

import onnx
from onnx.reference import ReferenceEvaluator

from edgebin.graph.functions import attach_functions
from tests.kernels.dispatch_cases import Array, Case
from tests.passes.fused_reference import FUSED_OPS


def reference(case: Case) -> list[Array]:
    names = [f"x{i}" for i in range(len(case.inputs))]
    results = case.attributes.get("results", "y").split()
    node = onnx.helper.make_node(case.op, names, results, domain="edgebin")
    node.attribute.extend(
        onnx.helper.make_attribute(key, value) for key, value in case.attributes.items() if key != "variant"
    )
    inputs = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, case.inputs, strict=True)
    ]
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in results]
    graph = onnx.helper.make_graph([node], "g", inputs, outputs)
    opsets = [onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid("edgebin", 1)]
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    ours = [op for op in FUSED_OPS if op.__name__ == case.op]
    if not ours:
        attach_functions(model)
    evaluator = ReferenceEvaluator(model, new_ops=ours)
    return list(evaluator.run(None, dict(zip(names, case.inputs, strict=True))))
