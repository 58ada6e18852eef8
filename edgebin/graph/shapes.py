"""Shapes of every tensor of a graph for one batch size."""

from __future__ import annotations

from typing import TypeAlias

import onnx

from edgebin.errors import InputError
from edgebin.graph import ops  # noqa: F401  (registers the shape rules of the concept ops)
from edgebin.graph.ops.concept import shape_of

StaticShapes: TypeAlias = dict[str, tuple[int, ...]]


def infer_static_shapes(model: onnx.ModelProto, batch: int) -> StaticShapes:
    """Name → shape of every input, constant and result, with the first axis of each graph input set to `batch`.

    Raises:
        InputError: the graph is of another fixed batch, inconsistent, or some shape stays unknown.
    """
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    graph = fixed.graph
    del graph.value_info[:]
    for value in graph.input:
        first = value.type.tensor_type.shape.dim[0]
        if first.HasField("dim_value") and first.dim_value != batch:
            raise InputError(f"`{value.name}` is fixed at batch {first.dim_value}, not {batch}")
        first.dim_value = batch
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(fixed, check_type=True, strict_mode=True, data_prop=True).graph
    except onnx.shape_inference.InferenceError as error:
        raise InputError(f"the shapes of the graph do not fit: {error}") from error
    shapes: dict[str, tuple[int | str | None, ...]] = {
        value.name: shape_of(value.type) for value in [*inferred.input, *inferred.value_info, *inferred.output]
    }
    shapes |= {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    static: StaticShapes = {}
    for name, shape in shapes.items():
        sizes = tuple(size for size in shape if isinstance(size, int))
        if len(sizes) == len(shape):
            static[name] = sizes
    for node in graph.node:
        missing = [name for name in [*node.input, *node.output] if name and name not in static]
        if missing:
            raise InputError(f"the shape of `{missing[0]}` (at `{node.name}`) is not known")
    return static
