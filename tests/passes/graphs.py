"""Small graphs for pass tests: written as ONNX text, printed as one line per node, run on random inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator

from tests.passes.fused_reference import FUSED_OPS

HEADER = '<ir_version: 10, opset_import: ["": 20, "edgebin": 1]>\n'


def parse(text: str, constants: dict[str, np.ndarray] | None = None) -> ir.Model:
    """A model from ONNX text; `constants` become initialisers, shapes are inferred for the standard ops."""
    proto = onnx.parser.parse_model(HEADER + text)
    proto.graph.initializer.extend(
        onnx.numpy_helper.from_array(array, name) for name, array in (constants or {}).items()
    )
    return ir.from_proto(onnx.shape_inference.infer_shapes(proto))


def printed(model: ir.Model) -> list[str]:
    """`Type(inputs; operands) -> results` for each node; constants appear by operand name only."""
    lines = []
    for node in model.graph:
        operands = node.attributes["operands"].as_string().split() if "operands" in node.attributes else []
        leading = [value.name for value in node.inputs[: len(node.inputs) - len(operands)] if value is not None]
        shown = [
            name if value.const_value is not None else f"{name}={value.name}"
            for name, value in zip(operands, node.inputs[len(leading) :], strict=True)
        ]
        variables = [name for name in leading if name not in model.graph.initializers]
        pool = node.attributes["pool"].as_int() if "pool" in node.attributes else 1
        extra = "; ".join([", ".join(shown)] * bool(shown) + [f"pool {pool}"] * (pool > 1))
        outputs = ", ".join(value.name or "" for value in node.outputs)
        lines.append(f"{node.op_type}({', '.join(variables)}{'; ' + extra if extra else ''}) -> {outputs}")
    return lines


def run(model: ir.Model, seed: int = 0) -> list[np.ndarray]:
    """Outputs on random inputs; two graphs of the same inputs see the same numbers."""
    random = np.random.default_rng(seed)
    feeds = {}
    for value in model.graph.inputs:
        shape = value.shape.numpy()
        if value.dtype == ir.DataType.FLOAT:
            feeds[value.name] = random.normal(size=shape).astype(np.float32)
        elif value.dtype == ir.DataType.INT32:
            feeds[value.name] = random.integers(-50, 50, shape, dtype=np.int32)
        else:
            feeds[value.name] = random.integers(0, 256, shape, dtype=np.uint8)
    return ReferenceEvaluator(ir.to_proto(model), new_ops=FUSED_OPS).run(None, feeds)


def rewritten(model: ir.Model, *passes: Callable[[ir.Model], None]) -> list[str]:
    """Apply passes; outputs must stay what they were after the first, which may introduce fused ops."""
    first, *others = passes
    first(model)
    before = run(model)
    for rewrite in others:
        rewrite(model)
    for want, got in zip(before, run(model), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    return printed(model)
