"""Small ONNX graphs as text, and what onnxruntime computes of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import onnx_ir as ir

from edgebin.graph.functions import attach_functions
from edgebin.graph.ops import CONCEPT_OPS  # noqa: F401  (registers the schemas of the concept ops)
from edgebin.graph.runtimes import run_onnxruntime

HEADER = '<ir_version: 10, opset_import: ["": 20, "edgebin": 1]>\n'
Constants = Mapping[str, np.ndarray]


def model_of(text: str, constants: Constants | None = None) -> onnx.ModelProto:
    """The model with its shapes inferred and the bodies of our ops attached; `constants` become initialisers."""
    proto = onnx.parser.parse_model(HEADER + text)
    proto.graph.initializer.extend(
        onnx.numpy_helper.from_array(array, name) for name, array in (constants or {}).items()
    )
    for number, node in enumerate(proto.graph.node):
        node.name = f"{node.op_type.lower()}{number}"
    attach_functions(proto)
    return onnx.shape_inference.infer_shapes(proto)


def graph_of(proto: onnx.ModelProto) -> ir.Model:
    """The same for a conversion, which changes it."""
    return ir.from_proto(proto)


def random_inputs(proto: onnx.ModelProto, seed: int = 0) -> list[np.ndarray]:
    """Normal floats for every input."""
    random = np.random.default_rng(seed)
    constant = {tensor.name for tensor in proto.graph.initializer}
    shapes = [
        [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in proto.graph.input
        if value.name not in constant
    ]
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def expected(proto: onnx.ModelProto, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """What stock onnxruntime computes."""
    names = [value.name for value in proto.graph.output]
    feeds = dict(zip([value.name for value in proto.graph.input], inputs, strict=True))
    results = run_onnxruntime(proto, feeds, names)
    return [results[name] for name in names]
