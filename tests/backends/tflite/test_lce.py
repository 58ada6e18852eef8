"""LCE's ops as the writer writes them, against numpy, in LCE's own interpreter and in edgebin's delegate.

Convolutions as other networks have them, 3 × 3, strided, of any number of channels: our models have few of these.
"""

from __future__ import annotations

import numpy as np
import pytest
import tflite

from edgebin.backends.tflite import lce
from edgebin.backends.tflite.graph import Graph, Tensor
from edgebin.backends.tflite.writer import write
from edgebin.errors import UnsupportedOp
from tests.backends.tflite.runtimes import DELEGATED, LCE_RUNTIMES, parameters
from tests.tflite.lce import SAME, VALID, Conv, Values, expected, pack

runtimes = pytest.mark.parametrize("run", parameters(LCE_RUNTIMES, DELEGATED))

FLOATS = {
    "1 × 1": Conv(64, 40),
    "1 × 1 of 33 channels": Conv(33, 7, batch=2),
    "3 × 3": Conv(96, 50, kernel=(3, 3)),
    "3 × 3 of 40 channels, stride 2": Conv(40, 65, size=(7, 8), kernel=(3, 3), stride=(2, 2)),
    "surrounded by ones": Conv(64, 33, kernel=(3, 3), padding=SAME, pad_value=1),
    "surrounded by zeros": Conv(64, 33, kernel=(3, 3), padding=SAME),
    "zeros, stride 2": Conv(50, 8, size=(7, 9), kernel=(3, 3), stride=(2, 2), padding=SAME, batch=2),
    "zeros, dilated": Conv(64, 8, size=(9, 7), kernel=(3, 3), dilation=(3, 3), padding=SAME),
    "groups": Conv(128, 12, kernel=(3, 3), groups=4, padding=SAME),
    "groups, stride 2": Conv(96, 9, kernel=(3, 3), groups=3, stride=(2, 2), padding=SAME, pad_value=1),
    "5 × 5": Conv(32, 16, size=(8, 8), kernel=(5, 5), padding=SAME),
}
BITS = {
    name: Conv(**{**vars(case), "output": "int32"})
    for name, case in FLOATS.items()
    if case.padding == VALID or case.pad_value == 1
}


def written(case: Conv, values: Values) -> bytes:
    graph = Graph()
    graph.node = "layer"
    bits = lce.quantize(graph, graph.input("x", values.x.shape, np.float32))
    graph.outputs = [layer(graph, bits, case, values)]
    return write(graph, description="test")


def layer(graph: Graph, bits: Tensor, case: Conv, values: Values) -> Tensor:
    window = lce.Window(case.stride[0], case.dilation[0], case.padding, case.pad_value)
    if case.output == "int32":
        return lce.packed_convolution(graph, bits, values.weight < 0, values.thresholds, window)
    return lce.convolution(graph, bits, values.weight < 0, values.multiplier, values.bias, window)


@runtimes
@pytest.mark.parametrize("name", FLOATS)
def test_floats(name: str, run) -> None:
    case = FLOATS[name]
    values = Values.of(case)
    (got,) = run(written(case, values), [values.x])
    want = expected(case, values)
    # LCE rounds at the size of k · multiplier.
    tolerance = 2.0**-23 * (case.k * np.abs(values.multiplier).max() + np.abs(values.bias).max())
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)


@runtimes
@pytest.mark.parametrize("name", BITS)
def test_bits(name: str, run) -> None:
    case = BITS[name]
    values = Values.of(case)
    (got,) = run(written(case, values), [values.x])
    np.testing.assert_array_equal(got, expected(case, values))


@runtimes
def test_a_network_of_convolutions_keeps_bits_between_its_layers(run) -> None:
    first = Conv(40, 64, size=(9, 8), kernel=(3, 3), padding=SAME, pad_value=1, output="int32")
    second = Conv(64, 100, size=(9, 8), kernel=(3, 3), stride=(2, 2), output="int32")
    third = Conv(100, 10, size=(4, 3))
    values = [Values.of(case, seed) for seed, case in enumerate((first, second, third))]
    graph = Graph()
    graph.node = "net"
    y = lce.quantize(graph, graph.input("x", values[0].x.shape, np.float32))
    want = values[0].x
    for case, own in zip((first, second, third), values, strict=True):
        y = layer(graph, y, case, own)
        own = Values(want, own.weight, own.multiplier, own.bias, own.thresholds)
        words = expected(case, own)
        if case.output == "int32":
            count = words.shape[-1] * 32
            negative = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little", count=count)
            want = np.where(negative[..., : case.outputs], -1.0, 1.0)
    graph.outputs = [y]
    (got,) = run(write(graph, description="test"), [values[0].x])
    assert [operator.kind for operator in graph.operators] == ["LceQuantize", *["LceBconv2d"] * 3]
    np.testing.assert_allclose(got, words, rtol=0, atol=1e-5)


@runtimes
def test_bits_as_floats_and_pools_of_bits(run) -> None:
    x = np.random.default_rng(0).normal(size=(1, 6, 7, 40)).astype(np.float32)
    graph = Graph()
    bits = lce.quantize(graph, graph.input("x", x.shape, np.float32))
    graph.outputs = [lce.dequantize(graph, bits), lce.max_pool(graph, bits, 2, 2)]
    signs, pooled = run(write(graph, description="test"), [x])
    np.testing.assert_array_equal(signs, np.where(x < 0, -1, 1))
    windows = x[:, :6, :6].reshape(1, 3, 2, 3, 2, 40).max(axis=(2, 4))
    np.testing.assert_array_equal(pooled, pack(windows < 0))


REFUSED = {
    "groups that are no whole words": (Conv(96, 8, groups=2), "multiples of 32 channels, not 48"),
    "outputs that do not split": (Conv(128, 9, groups=2), "do not split into groups"),
    "zeros round bits": (Conv(64, 8, kernel=(3, 3), padding=SAME, output="int32"), "where the result is bits"),
    "zeros round odd channels": (Conv(33, 8, kernel=(3, 3), padding=SAME), "an odd number of channels, 33"),
    "a kernel beyond its image": (Conv(64, 8, size=(4, 9), kernel=(3, 3), dilation=(2, 2), padding=SAME), "larger"),
    "counts of 16 bits": (Conv(7296, 2, size=(3, 3), kernel=(3, 3)), "overflow"),
    "other padding": (Conv(64, 8, kernel=(3, 3), padding=SAME, pad_value=-1), "pads with 0 or 1, not -1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_lce_would_get_wrong_is_refused(name: str) -> None:
    case, reason = REFUSED[name]
    with pytest.raises(UnsupportedOp, match=reason):
        written(case, Values.of(case))


def test_rows_that_are_no_image_are_refused() -> None:
    graph = Graph()
    bits = lce.quantize(graph, graph.input("x", (1, 4, 64), np.float32))
    with pytest.raises(UnsupportedOp, match="images of bits"):
        lce.convolution(graph, bits, np.zeros((8, 1, 1, 64), np.bool_), 1.0, 0.0, lce.Window())


def test_rows_that_arm_kernels_would_pad_are_warned_of() -> None:
    graph = Graph()
    for channels in (64, 96, 64, 128):
        graph.node = f"layer{len(graph.operators) // 2}"
        bits = lce.quantize(graph, graph.input("x", (1, 4, 1, channels), np.float32))
        lce.convolution(graph, bits, np.zeros((8, 1, 1, channels), np.bool_), 1.0, 0.0, lce.Window())
    assert {message.split(",")[0]: nodes for message, nodes in graph.warnings.items()} == {
        "rows of 64 bits": ["layer0", "layer2"],
        "rows of 96 bits": ["layer1"],
    }


def test_groups_that_lce_does_not_run_by_default_are_warned_of() -> None:
    graph = Graph()
    bits = lce.quantize(graph, graph.input("x", (1, 4, 1, 256), np.float32))
    lce.convolution(graph, bits, np.zeros((8, 1, 1, 128), np.bool_), 1.0, 0.0, lce.Window())
    (warning,) = graph.warnings
    assert "use_indirect_bgemm" in warning


def test_padding_has_the_numbers_of_the_schema() -> None:
    assert (SAME, VALID) == (tflite.Padding.SAME, tflite.Padding.VALID)
