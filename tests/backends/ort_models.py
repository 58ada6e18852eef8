"""Files of one node, and sessions of onnxruntime with and without our library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

import edgebin.onnxruntime

# isort: split
import onnxruntime

from tests.kernels.dispatch_cases import Array, Case

OPSETS = [onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid("edgebin", 1)]


def names(case: Case) -> list[str]:
    return [f"x{index}" for index in range(len(case.inputs))]


def type_of(array: Array) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(array.dtype))


def model_of(case: Case, results: Sequence[Array], constants: Sequence[int] | None = None) -> onnx.ModelProto:
    """One node, no body; `results` say types and shapes. All inputs but the first are constant, or `constants`."""
    constants = range(1, len(case.inputs)) if constants is None else constants
    outputs = case.attributes.get("results", "y").split()
    node = onnx.helper.make_node(case.op, names(case), outputs, domain="edgebin", name="the.node", **case.attributes)
    typed = list(zip(names(case), case.inputs, strict=True))
    graph = onnx.helper.make_graph(
        [node],
        "one",
        [
            onnx.helper.make_tensor_value_info(name, type_of(array), array.shape)
            for index, (name, array) in enumerate(typed)
            if index not in constants
        ],
        [
            onnx.helper.make_tensor_value_info(name, type_of(array), array.shape)
            for name, array in zip(outputs, results, strict=True)
        ],
        [onnx.numpy_helper.from_array(typed[index][1], typed[index][0]) for index in constants],
    )
    return onnx.helper.make_model(graph, opset_imports=OPSETS, ir_version=10)


def session(
    model: onnx.ModelProto, library: Path | None, *, threads: int = 1, fusions: bool = True
) -> onnxruntime.InferenceSession:
    """`fusions`: whether onnxruntime may fuse its own ops, which changes roundings."""
    options = onnxruntime.SessionOptions()
    if not fusions:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    if library is not None:
        edgebin.onnxruntime.register(options, library)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model: onnx.ModelProto, feeds: dict[str, Array], library: Path | None, **options: Any) -> list[Array]:
    made = session(model, library, **options)
    asked = {value.name for value in made.get_inputs()}
    return list(made.run(None, {name: array for name, array in feeds.items() if name in asked}))


def run_case(
    case: Case, results: Sequence[Array], library: Path, constants: Sequence[int] | None = None, **options: Any
) -> list[Array]:
    feeds = dict(zip(names(case), case.inputs, strict=True))
    return run(model_of(case, results, constants), feeds, library, **options)


def same(got: Sequence[Array], want: Sequence[Array], tolerance: float = 2e-5) -> None:
    """Floats nearly, everything else to the last bit."""
    for one, other in zip(got, want, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        if one.dtype == np.float32:
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
        else:
            np.testing.assert_array_equal(one, other)
