"""Kernels write their rows grouped as their reader wants them: a RESHAPE of its own would copy them.

    RESHAPE(EdgebinFusedRows(…), shape)   →   EdgebinFusedRows(…) of that shape, where rows stay as they are

`bypass_reshapes` does the same for what kernels read. Whoever else reads the rows must not mind how they are grouped.
"""

from __future__ import annotations

from edgebin.backends.tflite.edgebin_ops import PREFIX
from edgebin.backends.tflite.graph import Graph, Operator, Tensor
from edgebin.passes.fused import LEADING_INPUTS

# The first operands of these are images or matrices.
_MINDS = {f"{PREFIX}FusedBinaryConv": 1, f"{PREFIX}FusedMatMul": 2}
_ROWS = {PREFIX + op_type for op_type in LEADING_INPUTS} - {f"{PREFIX}FusedMatMul"}


def regroup_rows(graph: Graph) -> None:
    """Apply the rule to every RESHAPE."""
    producers, readers = graph.producers(), graph.users()
    for operator in graph.operators:
        rows, result = operator.inputs[0], operator.outputs[0]
        if operator.kind != "RESHAPE" or rows is None or {rows, result} & set(graph.outputs):
            continue
        producer = producers.get(rows)
        others = [reader for reader in readers[rows] if reader is not operator]
        if producer is None or producer.kind not in _ROWS or rows.shape[-1] != result.shape[-1]:
            continue
        if all(_minds_not(other, rows) for other in others):
            rows.shape = result.shape
            graph.replace(result, rows)
            readers[rows] = others + readers.pop(result, [])
    graph.remove_unused()


def _minds_not(reader: Operator, rows: Tensor) -> bool:
    if reader.kind == "RESHAPE":
        return True
    return reader.kind in _ROWS and rows not in reader.inputs[: _MINDS.get(reader.kind, 0)]
