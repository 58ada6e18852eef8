"""The standard-ONNX bodies inside a file: which ones it needs, putting them in, taking them out."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from edgebin.graph.ops import CONCEPT_OPS, DOMAIN, DOMAIN_VERSION, HELPER_FUNCTIONS, OPSET

_AVAILABLE = {function.name: function for function in HELPER_FUNCTIONS} | {
    name: op.function for name, op in CONCEPT_OPS.items()
}


def functions_for(op_types: Iterable[str]) -> list[onnx.FunctionProto]:
    """The bodies of these concept ops and of all that they call, each after those it calls itself."""
    needed: set[str] = set()
    waiting = list(op_types)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [node.op_type for node in _AVAILABLE[name].node if node.domain == DOMAIN]
    return [body for name, body in _AVAILABLE.items() if name in needed]


def attach_functions(model: onnx.ModelProto) -> None:
    """Gives every `edgebin` op that `model` uses its body, so that runtimes without our kernels run the file.

    Existing functions of the domain are replaced. Functions come after those they call, as onnx.reference wants it.
    """
    bodies = functions_for(node.op_type for node in model.graph.node if node.domain == DOMAIN)
    others = [function for function in model.functions if function.domain != DOMAIN]
    del model.functions[:]
    model.functions.extend([*others, *bodies])
    if bodies:
        versions = {opset.domain: opset for opset in model.opset_import}
        if DOMAIN not in versions:
            model.opset_import.append(onnx.helper.make_opsetid(DOMAIN, DOMAIN_VERSION))


def single_op_model(name: str, inputs: dict[str, onnx.TypeProto], attributes: dict[str, int]) -> onnx.ModelProto:
    """A model of one concept op and its body, for comparing runtimes on that op alone.

    Args:
        name: of the op in `CONCEPT_OPS`.
        inputs: graph input name → type, in the order of the op's inputs.
        attributes: of the op.
    """
    op = CONCEPT_OPS[name]
    output = op.schema.outputs[0]
    node = onnx.helper.make_node(name, list(inputs), [output.name], name=name, domain=DOMAIN)
    node.attribute.extend(onnx.helper.make_attribute(key, value) for key, value in attributes.items())
    graph = onnx.helper.make_graph(
        [node],
        name,
        [onnx.helper.make_value_info(key, type_) for key, type_ in inputs.items()],
        [onnx.helper.make_empty_tensor_value_info(output.name)],
    )
    opsets = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(DOMAIN, DOMAIN_VERSION)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    attach_functions(model)
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    onnx.checker.check_model(model, full_check=True)
    return model
