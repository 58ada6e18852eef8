"""Fix the batch: every shape of the graph becomes a list of numbers.

x: FLOAT[batch, 197, 384]   →   x: FLOAT[1, 197, 384]
Shape(x)                    →   [1, 197, 384]
"""

from __future__ import annotations

import onnx_ir as ir
import onnxscript.optimizer
import sympy
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgebin.errors import CompileError

# Weights stay initialisers; what folding is for are the small integer tensors of shape arithmetic.
_LARGEST_FOLDED_BYTES = 1 << 16


def fix_batch(model: ir.Model, batch: int) -> None:
    """Write `batch` into every symbolic dimension and fold the shape arithmetic that becomes constant.

    Function bodies are dropped: from here on the `edgebin` ops are lowered as ops.

    Raises:
        CompileError: a shape stays unknown.
    """
    graph = model.graph
    symbols = {str(value.shape[0]) for value in graph.inputs if value.shape is not None}
    values = {value for node in graph for value in node.outputs} | set(graph.inputs) | set(graph.outputs)
    for value in values:
        if value.shape is not None:
            value.shape = ir.Shape([_evaluated(dimension, symbols, batch) for dimension in value.shape])
    model.functions.clear()
    onnxscript.optimizer.optimize_ir(
        model,
        onnx_shape_inference=True,
        inline=False,
        input_size_limit=_LARGEST_FOLDED_BYTES,
        output_size_limit=_LARGEST_FOLDED_BYTES,
    )
    RemoveUnusedNodesPass()(model)
    for node in graph:
        for value in node.outputs:
            if value.shape is None or not value.shape.is_static():
                raise CompileError(
                    f"the shape of `{value.name}` ({node.op_type}) is not known at compile time",
                    hint="edgebin compiles graphs whose only dynamic dimension is the batch",
                )


def _evaluated(dimension: int | ir.SymbolicDim, batch_symbols: set[str], batch: int) -> int | ir.SymbolicDim:
    """A dimension with the batch put in; expressions such as `4*batch` are computed."""
    if isinstance(dimension, int):
        return dimension
    if dimension.value is None:
        return dimension
    expression = sympy.sympify(dimension.value)
    if {str(symbol) for symbol in expression.free_symbols} - batch_symbols:
        return dimension
    return int(expression.subs({symbol: batch for symbol in expression.free_symbols}))
