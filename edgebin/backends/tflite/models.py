"""ONNX models → `.tflite` files, in one of three ways."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from edgebin.backends.tflite import (
    attention,
    binary_layers,
    conv,
    edgebin_ops,
    elementwise,
    matmul,
    normalization,
    shape_ops,
)
from edgebin.backends.tflite.fusion import fold_into_products, fuse_activations
from edgebin.backends.tflite.graph import Graph
from edgebin.backends.tflite.int8_weights import quantize_weights
from edgebin.backends.tflite.repeats import share_repeats
from edgebin.backends.tflite.translate import Conversion, Translation
from edgebin.backends.tflite.views import simplify_views
from edgebin.backends.tflite.whole_rows import gather_rows
from edgebin.backends.tflite.writer import write
from edgebin.passes.static_shapes import fix_batch

BUILTIN_TABLE: dict[str, Conversion] = {
    **elementwise.TABLE,
    **shape_ops.TABLE,
    **matmul.TABLE,
    **conv.TABLE,
    **normalization.TABLE,
}


@dataclass(frozen=True)
class WrittenOperator:
    """An operator of a file: builtin's name or custom op's code, the ONNX node that it is a part of, its first result.

    Edgebin's library tells of its operators by the name of that result.
    """

    kind: str
    node: str
    result: str


@dataclass(frozen=True)
class TfliteModel:
    """A file, its operators in the order in which they run, and what its user should know of how it will run."""

    content: bytes
    operators: tuple[WrittenOperator, ...]
    warnings: tuple[str, ...]


def build_model(model: ir.Model) -> TfliteModel:
    """A lowered model (see `edgebin.passes`) with edgebin's custom ops, which `libedgebin_tflite.so` runs.

    Raises:
        UnsupportedOp: one of its other ops has no counterpart in TFLite.
    """
    graph = Translation({**BUILTIN_TABLE, **edgebin_ops.TABLE}).run(model)
    graph.warnings.clear()  # they are of LCE's kernels, and edgebin's run its ops here
    return _finished(graph, "edgebin: edgebin's, Larq Compute Engine's and builtin ops")


def build_lce_model(model: ir.Model, batch: int) -> TfliteModel:
    """An exported model with Larq Compute Engine's and builtin ops alone, exact in its integers. The model is changed.

    Raises:
        UnsupportedOp: an op cannot be said exactly in these.
    """
    fix_batch(model, batch)
    graph = Translation({**BUILTIN_TABLE, **binary_layers.TABLE, **attention.TABLE}).run(model)
    return _finished(graph, "edgebin: Larq Compute Engine's and builtin ops")


def build_float_model(model: ir.Model, batch: int, *, int8: bool = False) -> TfliteModel:
    """A full-precision model with builtin ops alone; with `int8`, so are the weights of dense layers. It is changed.

    LiteRT 2.3 runs int8 weights 2.8 times as fast as floats (DeiT-small), tflite_runtime 2.14 6 times as slowly.

    Raises:
        UnsupportedOp: an op has no counterpart in TFLite.
    """
    fix_batch(model, batch)
    graph = Translation(BUILTIN_TABLE).run(model)
    return _finished(graph, "edgebin: builtin ops", fold_scales=True, int8=int8)


def _finished(graph: Graph, description: str, *, fold_scales: bool = False, int8: bool = False) -> TfliteModel:
    share_repeats(graph)
    simplify_views(graph)
    fold_into_products(graph, scales=fold_scales)
    fuse_activations(graph)
    simplify_views(graph)
    gather_rows(graph)
    simplify_views(graph)
    if int8:
        quantize_weights(graph)
    content = write(graph, description=description)
    operators = tuple(
        WrittenOperator(operator.kind, operator.node, operator.outputs[0].name) for operator in graph.operators
    )
    warnings = (
        f"`{nodes[0]}`{f' and {len(nodes) - 1} more' if len(nodes) > 1 else ''}: {message}"
        for message, nodes in graph.warnings.items()
    )
    return TfliteModel(content, operators, tuple(warnings))
