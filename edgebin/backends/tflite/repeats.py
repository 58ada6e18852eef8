"""Operators that compute what another one has computed already are left out: bits that feed two layers, say."""

from __future__ import annotations

from edgebin.backends.tflite.graph import Graph, Operator


def share_repeats(graph: Graph) -> None:
    """Let the readers of equal operators on equal inputs read the first one's result."""
    first: dict[tuple[object, ...], Operator] = {}
    for operator in list(graph.operators):
        if len(operator.outputs) != 1 or operator.outputs[0] in graph.outputs:
            continue
        options = tuple(sorted(operator.options.items()))
        key = (operator.kind, tuple(operator.inputs), options, operator.outputs[0].shape, operator.outputs[0].dtype)
        same = first.setdefault(key, operator)
        if same is not operator:
            graph.replace(operator.outputs[0], same.outputs[0])
            graph.operators.remove(operator)
