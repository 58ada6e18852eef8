"""Chains of views: fewer operators, the same elements in the same places."""

from __future__ import annotations

import numpy as np
import pytest

from edgebin.backends.tflite.graph import Graph, Tensor
from edgebin.backends.tflite.shape_ops import reshape, transpose
from edgebin.backends.tflite.views import simplify_views

Step = tuple[str, tuple[int, ...]]


def build(shape: tuple[int, ...], steps: list[Step]) -> tuple[Graph, list[Tensor]]:
    """A graph of the steps; R is for RESHAPE, T for TRANSPOSE."""
    graph = Graph()
    tensors = [graph.input("x", shape, np.float32)]
    for kind, values in steps:
        apply = reshape if kind == "R" else transpose
        tensors.append(apply(graph, tensors[-1], values))
    graph.outputs = [graph.add("ABS", [tensors[-1]], tensors[-1].shape)]
    return graph, tensors


def evaluate(graph: Graph) -> list[np.ndarray]:
    values = {graph.inputs[0]: np.arange(np.prod(graph.inputs[0].shape)).reshape(graph.inputs[0].shape)}
    for operator in graph.operators:
        x = values[operator.inputs[0]]
        how = operator.inputs[1].data if len(operator.inputs) > 1 else None
        if operator.kind == "RESHAPE":
            x = x.reshape(how)
        elif operator.kind == "TRANSPOSE":
            x = x.transpose(how)
        assert x.shape == operator.outputs[0].shape
        values[operator.outputs[0]] = x
    return [values[tensor] for tensor in graph.outputs]


def kinds(graph: Graph) -> str:
    return "".join(operator.kind[0] for operator in graph.operators)


CHAINS = {
    "transposes that cancel": ((2, 3, 4), [("T", (0, 2, 1)), ("T", (0, 2, 1))], "A"),
    "reshapes that cancel": ((2, 3, 4), [("R", (6, 4)), ("R", (2, 3, 4))], "A"),
    "one reshape": ((2, 3, 4), [("R", (6, 4)), ("R", (24,)), ("R", (4, 6))], "RA"),
    "patch embedding": ((1, 4, 5, 8), [("T", (0, 3, 1, 2)), ("R", (1, 8, 20)), ("T", (0, 2, 1))], "RA"),
    "one transpose": ((2, 3, 4), [("T", (1, 0, 2)), ("T", (0, 2, 1))], "TA"),
    "an axis of one moves": ((2, 1, 4), [("T", (1, 0, 2)), ("R", (2, 4))], "RA"),
    "already short": ((6, 4), [("R", (2, 3, 4)), ("T", (1, 0, 2))], "RTA"),
    "axes that no factors share": ((6, 4), [("R", (8, 3)), ("T", (1, 0)), ("T", (1, 0))], "RA"),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chain(name: str) -> None:
    shape, steps, short = CHAINS[name]
    graph, _ = build(shape, steps)
    before = evaluate(graph)
    simplify_views(graph)
    assert kinds(graph) == short
    np.testing.assert_array_equal(evaluate(graph)[0], before[0])


@pytest.mark.parametrize("seed", range(200))
def test_random_chains_keep_every_element(seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = [1, 2, 3, 4, 6]
    shape = tuple(int(size) for size in random.choice(sizes, random.integers(1, 5)))
    steps, rank, total = [], len(shape), int(np.prod(shape))
    for _ in range(random.integers(1, 7)):
        if random.random() < 0.5:
            steps.append(("T", tuple(map(int, random.permutation(rank)))))
            continue
        left, axes = total, []
        while left > 1 and len(axes) < 4:
            size = int(random.choice([size for size in range(1, left + 1) if left % size == 0]))
            axes.append(size)
            left //= size
        axes.append(left)
        steps.append(("R", tuple(axes)))
        rank = len(axes)
    graph, tensors = build(shape, steps)
    if random.random() < 0.3:  # somebody else reads a value in the middle
        middle = tensors[random.integers(0, len(tensors))]
        graph.outputs.append(graph.add("ABS", [middle], middle.shape))
    before, count = evaluate(graph), len(graph.operators)
    simplify_views(graph)
    assert len(graph.operators) <= count
    for got, want in zip(evaluate(graph), before, strict=True):
        np.testing.assert_array_equal(got, want)


def test_an_output_of_the_graph_keeps_its_name_and_operator() -> None:
    graph, tensors = build((2, 3), [("T", (1, 0)), ("T", (1, 0))])
    graph.outputs = [tensors[-1]]
    tensors[-1].name = "logits"
    simplify_views(graph)
    assert [tensor.name for tensor in graph.outputs] == ["logits"]
    assert graph.outputs[0] not in graph.inputs
