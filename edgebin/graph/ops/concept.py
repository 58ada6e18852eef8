"""What a concept op is: a schema, a body in standard ops, and the torch op it stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import onnx
import torch
from onnx.shape_inference import InferenceError

DOMAIN = "edgebin"
DOMAIN_VERSION = 1
OPSET = 20
"""The standard opset that exported files and the bodies of our ops are written in."""

Shape = tuple[int | str | None, ...]
"""Sizes, names of dynamic sizes, or None where nothing is known."""

Attributes = dict[str, int]
ShapeRule = Callable[[list[Shape], Attributes], Shape]

_OpSchema = onnx.defs.OpSchema


@dataclass(frozen=True)
class ConceptOp:
    """One op of the `edgebin` domain.

    `function` is what a runtime without our kernels executes; it calls nothing but standard ops and helper functions of
    `edgebin.graph.ops.unpack`. `torch_op` is the op that the exporter replaces; its arguments are the inputs and then
    the attributes, in the same order.
    """

    name: str
    schema: onnx.defs.OpSchema
    function: onnx.FunctionProto
    torch_op: torch._ops.OpOverload


def define(
    name: str,
    doc: str,
    *,
    inputs: dict[str, str],
    output: tuple[str, str],
    attributes: dict[str, str] | None = None,
    shape_rule: ShapeRule,
    body: str,
    torch_op: torch._ops.OpOverload,
) -> ConceptOp:
    """Builds a concept op and registers its schema with onnx, so that checker and shape inference know the op.

    Args:
        name: of the op.
        doc: what it computes, shapes included.
        inputs: name → element type ("float", "uint8", …), in order.
        output: name and element type.
        attributes: name → description; all are required integers.
        shape_rule: shapes of the inputs and attributes → shape of the output. Raises ValueError if they do not fit.
        body: statements in onnx's text syntax, in terms of the names above; `@name` is an attribute.
        torch_op: the op that is exported as this one.
    """
    attributes = attributes or {}
    output_name, output_type = output
    schema = _OpSchema(
        name,
        DOMAIN,
        DOMAIN_VERSION,
        doc=doc,
        inputs=[_OpSchema.FormalParameter(key, f"tensor({type_})") for key, type_ in inputs.items()],
        outputs=[_OpSchema.FormalParameter(output_name, f"tensor({output_type})")],
        attributes=[
            _OpSchema.Attribute(key, _OpSchema.AttrType.INT, description, required=True)
            for key, description in attributes.items()
        ],
    )
    schema.set_type_and_shape_inference_function(_inference(name, output_type, tuple(attributes), shape_rule))
    if not onnx.defs.has(name, domain=DOMAIN):
        onnx.defs.register_schema(schema)
    function = function_from_text(name, tuple(attributes), tuple(inputs), output_name, body)
    return ConceptOp(name, schema, function, torch_op)


def function_from_text(
    name: str, attributes: tuple[str, ...], inputs: tuple[str, ...], output: str, body: str
) -> onnx.FunctionProto:
    """A function of our domain from statements in onnx's text syntax."""
    parameters = f"<{', '.join(attributes)}>" if attributes else ""
    return onnx.parser.parse_function(
        f'<domain: "{DOMAIN}", opset_import: ["": {OPSET}, "{DOMAIN}": {DOMAIN_VERSION}]>\n'
        f"{name} {parameters} ({', '.join(inputs)}) => ({output}) {{\n{body}\n}}"
    )


def require(what: str, size: int | str | None, expected: int | str | None) -> None:
    """For shape rules: two known sizes must agree.

    Raises:
        ValueError: they do not.
    """
    if isinstance(size, int) and isinstance(expected, int) and size != expected:
        raise ValueError(f"{what} is {size}, not {expected}")


def _inference(
    name: str, output_type: str, attributes: tuple[str, ...], shape_rule: ShapeRule
) -> Callable[[onnx.shape_inference.InferenceContext], None]:
    element_type = {"float": onnx.TensorProto.FLOAT, "uint8": onnx.TensorProto.UINT8, "int32": onnx.TensorProto.INT32}

    def infer(context: onnx.shape_inference.InferenceContext) -> None:
        result = onnx.TypeProto()
        result.tensor_type.elem_type = element_type[output_type]
        types = [context.get_input_type(index) for index in range(context.get_num_inputs())]
        if all(type_.tensor_type.HasField("shape") for type_ in types):
            shapes = [shape_of(type_) for type_ in types]
            values = {key: context.get_attribute(key).i for key in attributes}
            try:
                shape = shape_rule(shapes, values)
            except ValueError as error:
                raise InferenceError(f"{name}: {error}") from error
            result.tensor_type.shape.CopyFrom(onnx.helper.make_tensor_type_proto(1, shape).tensor_type.shape)
        context.set_output_type(0, result)

    return infer


def shape_of(type_: onnx.TypeProto) -> Shape:
    """The shape in a tensor's type; empty if it has none."""
    return tuple(
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in type_.tensor_type.shape.dim
    )
