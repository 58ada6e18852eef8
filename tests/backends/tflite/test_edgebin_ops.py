"""Which nodes of a lowered model become LCE's ops, and that edgebin's custom ops say all that the ONNX nodes say."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
import tflite
from flatbuffers import flexbuffers

from edgebin.backends.tflite.models import build_model
from edgebin.kernels.packing import pack_bits
from edgebin.passes import lower
from tests.backends.tflite.onnx_graphs import expected, graph_of, model_of, random_inputs
from tests.backends.tflite.runtimes import DELEGATED, parameters

delegated = pytest.mark.parametrize("run", parameters(DELEGATED))


def constants(n: int, k: int, channels: int, **more: np.ndarray) -> dict[str, np.ndarray]:
    random = np.random.default_rng(n * k)
    scale = random.normal(size=n) / np.sqrt(k)
    vectors = {
        "t": random.normal(size=channels),
        "s": scale,
        "c": random.normal(size=n),
        **{name: random.normal(size=n) for name in "ufpq"},
    }
    floats = {name: vector.astype(np.float32) for name, vector in vectors.items()}
    return {"w": pack_bits(random.random((n, k)) < 0.5), **floats, **more}


def linear(k: int, n: int, *, bits: bool = False, activated: bool = False) -> tuple[str, dict[str, np.ndarray]]:
    """A layer, with what follows it: an activation; packing, then a layer that shows the bits."""
    text = f"{{ b = edgebin.SignPack(x, t) h = edgebin.BinaryLinear <k = {k}> (b, w, s, c) "
    if activated:
        text += "r = edgebin.RPReLU(h, f, p, q) "
    last, width = ("r" if activated else "h"), n
    more = {}
    if bits:
        text += f"d = edgebin.SignPack({last}, u) e = edgebin.BinaryLinear <k = {n}> (d, v, o, z) "
        last, width = "e", 3
        more = {"v": constants(3, n, n)["w"], "o": np.ones(3, np.float32), "z": np.zeros(3, np.float32)}
    text += f"y = Identity({last}) }}"
    return f"g (float[2,5,{k}] x) => (float[2,5,{width}] y) {text}", constants(n, k, k, **more)


def conv(channels: int, n: int, kernel: int, groups: int, size: int = 6) -> tuple[str, dict[str, np.ndarray]]:
    text = (
        f"g (float[2,{size},{size},{channels}] x) => (float[2,{size},{size},{n}] y) {{ b = edgebin.SignPack(x, t) "
        f"y = edgebin.BinaryConv2d <kernel = {kernel}, dilation = 1, groups = {groups}, channels = {channels}> "
        "(b, w, s, c) }"
    )
    return text, constants(n, kernel * kernel * channels // groups, channels)


LINEAR, CONV, LCE = "EdgebinFusedBinaryLinear", "EdgebinFusedBinaryConv", "LceBconv2d"
CASES = {
    "floats": (linear(64, 40), [LCE]),
    "floats of rows as long in LCE": (linear(100, 40), [LCE]),
    "rows that are longer than LCE's": (linear(65, 40), [LINEAR]),
    "rows of one word": (linear(32, 40), [LINEAR]),
    "bits": (linear(64, 128, bits=True), [LCE, LCE]),
    "bits longer than LCE's": (linear(64, 70, bits=True), [LINEAR, LINEAR]),
    "an activation": (linear(64, 40, activated=True), [LINEAR]),
    "a convolution": (conv(64, 8, 3, 1), [LCE]),
    "a convolution in groups": (conv(128, 8, 3, 4), [LCE]),
    "small groups": (conv(64, 8, 3, 4), [CONV]),
    "a convolution larger than its image": (conv(64, 8, 3, 1, size=2), [CONV]),
}


@delegated
@pytest.mark.parametrize("name", CASES)
def test_lce_takes_what_it_says_exactly(name: str, run) -> None:
    (text, values), kinds = CASES[name]
    proto = model_of(text, values)
    inputs = random_inputs(proto)
    model = graph_of(proto)
    lower(model, batch=2, backend="tflite")
    written = build_model(model)
    products = [operator.kind for operator in written.operators if operator.kind in (LINEAR, CONV, LCE)]
    assert products == kinds
    (got,), (want,) = run(written.content, inputs), expected(proto, inputs)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


def test_custom_ops_hold_every_attribute_and_the_inputs_in_order() -> None:
    text, values = linear(64, 40, activated=True)
    model = graph_of(model_of(text, values))
    lower(model, batch=2, backend="tflite")
    fused = next(node for node in model.graph if node.op_type == "FusedBinaryLinear")
    fused.attributes["variant"] = ir.AttrString("variant", "avx2")
    read = tflite.Model.GetRootAs(build_model(model).content)
    graph = read.Subgraphs(0)
    operators = [graph.Operators(index) for index in range(graph.OperatorsLength())]
    operator = next(
        found for found in operators if read.OperatorCodes(found.OpcodeIndex()).CustomCode() == LINEAR.encode()
    )
    options = flexbuffers.Loads(operator.CustomOptionsAsNumpy().tobytes())
    assert options == {name: attribute.value for name, attribute in fused.attributes.items()}
    assert options["operands"] == "scale bias slope offset"
    names = [graph.Tensors(index).Name().decode() for index in operator.InputsAsNumpy()]
    assert names == [value.name for value in fused.inputs]


def test_bits_between_operators_are_words() -> None:
    text, values = linear(64, 70, bits=True)
    model = graph_of(model_of(text, values))
    lower(model, batch=2, backend="tflite")
    graph = tflite.Model.GetRootAs(build_model(model).content).Subgraphs(0)
    words = [
        graph.Tensors(index).ShapeAsNumpy().tolist()
        for index in range(graph.TensorsLength())
        if graph.Tensors(index).Type() == tflite.TensorType.INT32
    ]
    # 70 bits are two words of 64, four of 32.
    assert words == [[2, 5, 2], [2, 5, 4]]


@delegated
@pytest.mark.parametrize("read_twice", [False, True])
def test_rows_are_written_as_the_image_that_a_stencil_reads(read_twice: bool, run) -> None:
    random = np.random.default_rng(1)
    text = (
        "g (float[2,12,64] x) => (float[2,12,64] y) { b = edgebin.SignPack(x, t) "
        "h = edgebin.BinaryLinear <k = 64> (b, w, s, c) r = edgebin.RPReLU(h, u, f, p) i = Reshape(r, a) "
        "o = edgebin.PlusStencil <circular = 1> (i, m, q) e = Reshape(o, z) "
        f"y = Add(e, {'r' if read_twice else 'x'}) }}"
    )
    shapes = {"a": np.array([2, 3, 4, 64]), "z": np.array([2, 12, 64])}
    taps = random.normal(size=(9, 64)).astype(np.float32)
    proto = model_of(text, constants(64, 64, 64, m=taps, **shapes))
    inputs, model = random_inputs(proto), graph_of(proto)
    lower(model, batch=2, backend="tflite")
    written = build_model(model)
    kinds = [operator.kind for operator in written.operators]
    stencil = kinds.index("EdgebinFusedStencil")
    # Only what comes in from outside is reshaped.
    assert kinds[:stencil].count("RESHAPE") == (0 if read_twice else 1), kinds
    (got,), (want,) = run(written.content, inputs), expected(proto, inputs)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
