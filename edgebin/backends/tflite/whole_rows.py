"""Whole rows are moved by GATHER, where the runtimes' own op is slow or broken.

    TRANSPOSE(bits)           →   GATHER(RESHAPE(bits, [rows, words]), constant numbers of rows)
    BROADCAST_TO(x, shape)    →   the same, where rows stay as they are

XNNPACK in tflite_runtime 2.14 claims transposes of int32, then fails to prepare them. LiteRT 2.3 broadcasts element by
element: 0.135 ms for 2 × 2 copies of 7 × 7 × 64 floats, which rows take 0.002 ms for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgebin.backends.tflite.graph import Graph, Operator, Tensor
from edgebin.backends.tflite.shape_ops import reshape


def gather_rows(graph: Graph) -> None:
    """Rewrite every transpose of int32 rows, most of them bits, and every broadcast of rows."""
    operators, graph.operators = graph.operators, []
    for operator in operators:
        graph.node = operator.node
        if operator.kind not in ("TRANSPOSE", "BROADCAST_TO"):
            graph.operators.append(operator)
            continue
        x, how, result = *operator.inputs, operator.outputs[0]
        assert x is not None
        assert how is not None
        assert how.data is not None
        numbers = np.arange(int(np.prod(x.shape[:-1])), dtype=np.int32).reshape(x.shape[:-1])
        if operator.kind == "TRANSPOSE" and result.dtype == np.int32 and how.data[-1] == len(x.shape) - 1:
            _gather(graph, x, numbers.transpose(how.data[:-1]), result)
        elif operator.kind == "BROADCAST_TO" and x.shape[-1:] == result.shape[-1:]:
            _gather(graph, x, np.broadcast_to(numbers, result.shape[:-1]), result)
        else:
            graph.operators.append(operator)


def _gather(graph: Graph, x: Tensor, numbers: npt.NDArray[np.int32], result: Tensor) -> None:
    flat = reshape(graph, x, (int(np.prod(x.shape[:-1])), x.shape[-1]))
    positions = graph.constant(f"{graph.node}.rows", numbers)
    graph.operators.append(Operator("GATHER", [flat, positions], [result], {"Axis": 0}, False, graph.node))
