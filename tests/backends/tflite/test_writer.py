"""The file itself: what runtimes rely on that no result shows."""

from __future__ import annotations

import numpy as np
import pytest
import tflite
from flatbuffers import flexbuffers

from edgebin.backends.tflite.graph import Graph
from edgebin.backends.tflite.writer import flexbuffer, write
from tests.backends.tflite.runtimes import RUNTIMES, parameters


def small_graph() -> Graph:
    graph = Graph()
    x = graph.input("x", (2, 3), np.float32)
    graph.node = "first"
    doubled = graph.add("MUL", [x, graph.constant("two", np.array([2, 2, 2], np.float32))], (2, 3))
    graph.node = "second"
    graph.outputs = [graph.add("ADD", [doubled, graph.constant("again", np.array([2, 2, 2], np.float32))], (2, 3))]
    return graph


def test_same_graph_gives_same_bytes() -> None:
    assert write(small_graph(), description="d") == write(small_graph(), description="d")


def test_equal_constants_are_stored_once() -> None:
    model = tflite.Model.GetRootAs(write(small_graph(), description="d"))
    assert model.BuffersLength() == 2


@pytest.mark.parametrize("size", [1, 3, 5, 16, 17])
def test_constants_are_aligned_in_the_file(size: int) -> None:
    """Runtimes map the file and read weights in place with vector loads."""
    graph = Graph()
    x = graph.input("x", (size,), np.int8)
    graph.node = "odd"
    y = graph.add("ADD", [x, graph.constant("c", np.arange(size, dtype=np.int8))], (size,), dtype=np.int8)
    floats = graph.constant("f", np.array([1.25], np.float32))
    graph.outputs = [y, graph.add("ADD", [floats, floats], (1,))]
    content = write(graph, description="d" * size)
    assert content[4:8] == b"TFL3"
    for data in (np.arange(size, dtype=np.int8).tobytes(), np.float32(1.25).tobytes()):
        places = [place for place in range(0, len(content), 16) if content[place : place + len(data)] == data]
        assert places, "nowhere at a multiple of 16"


def test_operators_of_both_kinds_of_code_have_theirs() -> None:
    graph = small_graph()
    graph.outputs = [
        graph.add("GELU", [graph.outputs[0]], (2, 3)),
        graph.add("Mine", graph.outputs, (2, 3), custom=True),
    ]
    model = tflite.Model.GetRootAs(write(graph, description="d"))
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    gelu, mine = codes[2], codes[3]
    # 150 does not fit the byte that older runtimes read, which then has to say so.
    assert (gelu.BuiltinCode(), gelu.DeprecatedBuiltinCode()) == (tflite.BuiltinOperator.GELU, 127)
    assert (mine.BuiltinCode(), mine.CustomCode()) == (tflite.BuiltinOperator.CUSTOM, b"Mine")


def test_flexbuffers_keep_every_type_of_attribute() -> None:
    options = {"k": 384, "operands": "scale bias", "epsilon": 1e-6, "negative": -5}
    assert flexbuffers.Loads(flexbuffer(options)) == options


@pytest.mark.parametrize("run", parameters(RUNTIMES))
def test_runtimes_read_it(run) -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(run(write(small_graph(), description="d"), [x])[0], 2 * x + 2)


@pytest.mark.skipif(not parameters({"litert": RUNTIMES["litert"]}), reason="no LiteRT")
def test_inputs_and_outputs_are_called_by_name() -> None:
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    graph = small_graph()
    graph.outputs[0].name = "logits"
    runner = interpreter.Interpreter(model_content=write(graph, description="d")).get_signature_runner()
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(runner(x=x)["logits"], 2 * x + 2)
