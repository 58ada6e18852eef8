"""Every conversion of a standard op, in every runtime, against onnxruntime on the same node."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from edgebin.backends.tflite.models import build_float_model
from edgebin.errors import CompileError, UnsupportedOp
from tests.backends.tflite.onnx_graphs import expected, graph_of, model_of, random_inputs
from tests.backends.tflite.runtimes import LCE_RUNTIMES, RUNTIMES, parameters

# Sums in another order and other polynomials for exp and erf; values are about 1 to 30.
TOLERANCE = {"rtol": 2e-5, "atol": 2e-5}

RANDOM = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@dataclass(frozen=True)
class Case:
    text: str
    constants: dict[str, np.ndarray] = field(default_factory=dict)


def unary(shape: str, node: str, result: str | None = None, **constants: np.ndarray) -> Case:
    return Case(f"g (float[{shape}] x) => (float[{result or shape}] y) {{ y = {node} }}", constants)


CASES = {
    "add rows": Case("g (float[2,3,5] x, float[2,3,5] z) => (float[2,3,5] y) { y = Add(x, z) }"),
    "add vector first": unary("2,3,5", "Add(v, x)", v=floats(5)),
    "add outer": Case("g (float[1,2,3,1] x, float[1,2,1,4] z) => (float[1,2,3,4] y) { y = Add(x, z) }"),
    "add five axes": unary("2,3,2,4,4", "Add(x, v)", v=floats(3, 1, 4, 4)),
    "sub": unary("2,3,5", "Sub(x, v)", v=floats(1, 5)),
    "mul scalar": unary("1,2,3,4", "Mul(x, v)", v=np.array(0.125, np.float32)),
    "mul column": unary("2,3,5", "Mul(v, x)", v=floats(3, 1)),
    "div": unary("2,3,5", "Div(x, v)", v=np.exp(floats(5))),
    "max of three": Case(
        "g (float[2,3,4] x, float[2,3,4] z) => (float[2,3,4] y) { y = Max(x, z, v) }", {"v": floats(4)}
    ),
    "relu": unary("2,3,5", "Relu(x)"),
    "gelu": unary("2,3,65", "Gelu(x)"),
    "gelu by tanh": unary("2,3,65", 'Gelu <approximate = "tanh"> (x)'),
    "softmax": unary("1,2,3,7", "Softmax <axis = -1> (x)"),
    "softmax of rows": unary("3,7", "Softmax <axis = 1> (x)"),
    "tanh": unary("3,7", "Tanh(x)"),
    "sigmoid": unary("3,7", "Sigmoid(x)"),
    "reshape": unary("2,3,4", "Reshape(x, s)", "4,6", s=ints(4, -1)),
    "reshape keeps an axis": unary("2,3,4", "Reshape(x, s)", "2,12", s=ints(0, -1)),
    "flatten": unary("2,3,4", "Flatten(x)", "2,12"),
    "squeeze": unary("2,1,4", "Squeeze(x, a)", "2,4", a=ints(1)),
    "unsqueeze": unary("2,4", "Unsqueeze(x, a)", "2,1,4", a=ints(1)),
    "transpose": unary("2,3,4,5", "Transpose <perm = [0, 2, 1, 3]> (x)", "2,4,3,5"),
    "transpose of six axes": unary("1,2,3,4,5,6", "Transpose <perm = [0, 1, 3, 4, 2, 5]> (x)", "1,2,4,5,3,6"),
    "reverse axes": unary("2,3,4", "Transpose(x)", "4,3,2"),
    "concat": Case("g (float[1,2,5] x, float[1,3,5] z) => (float[1,5,5] y) { y = Concat <axis = 1> (x, z) }"),
    "concat columns": Case("g (float[1,2,5] x, float[1,2,3] z) => (float[1,2,8] y) { y = Concat <axis = -1> (x, z) }"),
    "concat a constant": unary("2,2,5", "Concat <axis = 1> (v, x)", "2,3,5", v=floats(2, 1, 5)),
    "slice": unary("2,9,5", "Slice(x, b, e, a, s)", "2,3,5", b=ints(2), e=ints(5), a=ints(1), s=ints(1)),
    "slice from the end": unary("2,9,5", "Slice(x, b, e, a)", "2,2,5", b=ints(-2), e=ints(2**62), a=ints(1)),
    "slice every other": unary(
        "2,9,6", "Slice(x, b, e, a, s)", "2,4,3", b=ints(1, 0), e=ints(9, 6), a=ints(1, 2), s=ints(2, 2)
    ),
    "split": Case(
        "g (float[2,3,9] x) => (float[2,3,3] a, float[2,3,3] b, float[2,3,3] c) "
        "{ a, b, c = Split <axis = 2, num_outputs = 3> (x) }"
    ),
    "expand rows": unary("1,3,1,5", "Expand(x, s)", "2,3,4,5", s=ints(2, 3, 4, 5)),
    "expand columns": unary("2,3,1", "Expand(x, s)", "2,3,4", s=ints(2, 3, 4)),
    "expand six axes": unary("1,2,1,3,1,5", "Expand(x, s)", "1,2,2,3,2,5", s=ints(1, 2, 2, 3, 2, 5)),
    "gather one": unary("2,3,5", "Gather <axis = 1> (x, i)", "2,5", i=np.array(-1, np.int64)),
    "gather some": unary("2,3,5", "Gather <axis = 1> (x, i)", "2,4,5", i=ints(2, 0, 0, 1)),
    "pad": unary("1,2,3,4", "Pad(x, p)", "1,2,5,7", p=ints(0, 0, 1, 0, 0, 0, 1, 3)),
    "pad with a number": unary(
        "1,2,3,4", "Pad(x, p, v)", "1,2,5,5", p=ints(0, 0, 0, 1, 0, 0, 2, 0), v=np.array(-7, np.float32)
    ),
    "matmul": unary("2,3,5", "MatMul(x, w)", "2,3,7", w=floats(5, 7)),
    "matmul of four axes": unary("1,2,3,5", "MatMul(x, w)", "1,2,3,7", w=floats(5, 7)),
    "matmul with bias": Case(
        "g (float[2,3,5] x) => (float[2,3,7] y) { h = MatMul(x, w) y = Add(b, h) }",
        {"w": floats(5, 7), "b": floats(7)},
    ),
    "matmul, reshaped, scaled and shifted": Case(
        "g (float[2,3,5] x) => (float[6,7] y) { h = MatMul(x, w) r = Reshape(h, s) m = Mul(r, g) y = Add(m, b) }",
        {"w": floats(5, 7), "b": floats(7), "g": floats(7), "s": ints(6, 7)},
    ),
    "matmul then relu": Case(
        "g (float[2,5] x) => (float[2,7] y) { h = MatMul(x, w) y = Relu(h) }", {"w": floats(5, 7)}
    ),
    "matmul whose result is read twice": Case(
        "g (float[2,5] x) => (float[2,7] y) { h = MatMul(x, w) m = Mul(h, v) y = Add(m, h) }",
        {"w": floats(5, 7), "v": floats(7)},
    ),
    "products of activations": Case(
        "g (float[1,2,3,5] q, float[1,4,2,5] k, float[1,2,4,6] v) => (float[1,2,3,6] y) "
        "{ t = Transpose <perm = [0, 2, 3, 1]> (k) s = MatMul(q, t) y = MatMul(s, v) }"
    ),
    "gemm": unary("3,5", "Gemm <transB = 1> (x, w, b)", "3,7", w=floats(7, 5), b=floats(7)),
    "gemm without bias": unary("3,5", "Gemm(x, w)", "3,7", w=floats(5, 7)),
    "conv": unary("2,3,9,7", "Conv <strides = [2, 2]> (x, w, b)", "2,4,4,3", w=floats(4, 3, 3, 3), b=floats(4)),
    "conv, same padding": unary("1,3,5,7", "Conv <pads = [1, 1, 1, 1]> (x, w)", "1,4,5,7", w=floats(4, 3, 3, 3)),
    "conv, padding of its own": unary(
        "1,3,8,8", "Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, w)", "1,4,4,4", w=floats(4, 3, 3, 3)
    ),
    "conv, dilated": unary(
        "1,3,9,9", "Conv <pads = [3, 3, 3, 3], dilations = [3, 3]> (x, w, b)", "1,4,9,9", w=floats(4, 3, 3, 3),
        b=floats(4),
    ),
    "conv, padding left to ONNX": unary(
        "1,3,5,5", 'Conv <auto_pad = "SAME_LOWER"> (x, w)', "1,4,5,5", w=floats(4, 3, 2, 2)
    ),
    "conv in groups": unary(
        "1,8,5,5", "Conv <pads = [1, 1, 1, 1], group = 2> (x, w, b)", "1,6,5,5", w=floats(6, 4, 3, 3), b=floats(6)
    ),
    "conv of each channel": unary(
        "1,8,5,5", "Conv <pads = [1, 1, 1, 1], group = 8> (x, w, b)", "1,16,5,5", w=floats(16, 1, 3, 3), b=floats(16)
    ),
    "patch embedding": Case(
        "g (float[2,3,8,12] x) => (float[2,6,16] y) "
        "{ c = Conv <strides = [4, 4]> (x, w, b) r = Reshape(c, s) y = Transpose <perm = [0, 2, 1]> (r) }",
        {"w": floats(16, 3, 4, 4), "b": floats(16), "s": ints(2, 16, 6)},
    ),
    "average pool": unary("1,3,8,8", "AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (x)", "1,3,4,4"),
    "average pool that counts padding": unary(
        "1,3,8,8",
        "AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1], count_include_pad = 1> (x)",
        "1,3,4,4",
    ),
    "max pool": unary("1,3,8,8", "MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x)", "1,3,4,4"),
    "max pool, padded": unary(
        "1,3,8,8", "MaxPool <kernel_shape = [7, 7], strides = [7, 7], pads = [3, 3, 3, 3]> (x)", "1,3,2,2"
    ),
    "layer norm": unary("2,3,65", "LayerNormalization <epsilon = 1e-6> (x, g, b)", g=floats(65), b=floats(65)),
    "layer norm of rows": unary("3,16", "LayerNormalization <axis = 1> (x, g)", g=floats(16)),
    "batch norm": unary(
        "2,5,3,4", "BatchNormalization(x, g, b, m, v)", g=floats(5), b=floats(5), m=floats(5), v=np.exp(floats(5))
    ),
    "batch norm of rows": unary(
        "6,5", "BatchNormalization(x, g, b, m, v)", g=floats(5), b=floats(5), m=floats(5), v=np.exp(floats(5))
    ),
    "mean of tokens": unary("2,7,5", "ReduceMean <keepdims = 0> (x, a)", "2,5", a=ints(1)),
    "mean of a window": unary("1,2,2,3,2,5", "ReduceMean <keepdims = 0> (x, a)", "1,2,3,5", a=ints(2, 4)),
    "mean kept": unary("2,7,5", "ReduceMean(x, a)", "2,7,1", a=ints(-1)),
    "global average pool": unary("2,5,3,4", "GlobalAveragePool(x)", "2,5,1,1"),
}  # fmt: skip


@pytest.mark.parametrize("run", parameters(RUNTIMES, LCE_RUNTIMES))
@pytest.mark.parametrize("name", CASES)
def test_conversion(name: str, run) -> None:
    proto = model_of(CASES[name].text, CASES[name].constants)
    inputs = random_inputs(proto)
    want = expected(proto, inputs)
    got = run(build_float_model(graph_of(proto), batch=want[0].shape[0]).content, inputs)
    for result, truth in zip(got, want, strict=True):
        assert result.shape == truth.shape
        np.testing.assert_allclose(result, truth, **TOLERANCE)


REFUSED = {
    "an op that TFLite lacks": unary("2,3", "Erf(x)"),
    "a mean without its padding": unary(
        "1,1,8,8", "AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (x)", "1,1,4,4"
    ),
    "a pool that rounds up": unary(
        "1,1,7,7", "MaxPool <kernel_shape = [2, 2], strides = [2, 2], ceil_mode = 1> (x)", "1,1,4,4"
    ),
    "softmax over another axis": unary("2,3,4", "Softmax <axis = 1> (x)"),
    "padding that mirrors": unary("1,2,4", 'Pad <mode = "reflect"> (x, p)', "1,2,6", p=ints(0, 0, 1, 0, 0, 1)),
    "norm of more than a row": unary("2,3,4", "LayerNormalization <axis = 1> (x, g)", g=floats(3, 4)),
    "slices that run backwards": unary(
        "2,9,5", "Slice(x, b, e, a, s)", "2,3,5", b=ints(5), e=ints(2), a=ints(1), s=ints(-1)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_wrong_is_refused_by_name(name: str) -> None:
    proto = model_of(REFUSED[name].text, REFUSED[name].constants)
    with pytest.raises(UnsupportedOp) as error:
        build_float_model(graph_of(proto), batch=1)
    assert error.value.node == proto.graph.node[0].name


def test_an_op_of_another_domain_is_not_taken_for_its_namesake() -> None:
    proto = model_of("g (float[2,3] x) => (float[2,3] y) { y = Relu(x) }")
    proto.graph.node[0].domain = "mine"
    proto.opset_import.add(domain="mine", version=1)
    with pytest.raises(UnsupportedOp, match="nothing for Relu"):
        build_float_model(graph_of(proto), batch=2)


def test_ops_that_meant_something_else_are_refused() -> None:
    """Before opset 13 softmax without an axis was over all axes but the first."""
    proto = model_of("g (float[2,3,4] x) => (float[2,3,4] y) { y = Softmax(x) }")
    proto.opset_import[0].version = 11
    with pytest.raises(CompileError, match="opset 11"):
        build_float_model(graph_of(proto), batch=2)


def test_types_that_files_do_not_have_are_refused() -> None:
    proto = model_of("g (float[2,3] x) => (double[2,3] y) { y = Cast <to = 11> (x) }")
    with pytest.raises(UnsupportedOp, match="float64"):
        build_float_model(graph_of(proto), batch=2)
