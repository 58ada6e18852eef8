"""LceQuantize, LceDequantize and LceBMaxPool2d of the delegate."""

from __future__ import annotations

import numpy as np
import pytest

from edgebin.errors import InputError
from tests.tflite.conftest import Array, Run
from tests.tflite.lce import SAME, VALID, pack
from tests.tflite.model import Model

WIDTHS = (1, 7, 31, 32, 33, 40, 63, 64, 65, 96, 128, 197)


def quantize(x: Array, **quantization: float) -> bytes:
    model = Model()
    words = model.tensor("words", (*x.shape[:-1], -(-x.shape[-1] // 32)), "int32")
    model.custom("LceQuantize", [model.input("x", x.shape, x.dtype.name, **quantization)], [words])
    model.outputs = [words]
    return model.write()


@pytest.mark.parametrize("channels", WIDTHS)
def test_floats_become_bits(run: Run, channels: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, channels), dtype=np.float32)
    np.testing.assert_array_equal(run(quantize(x), x)[0], pack(x < 0))


def test_each_channel_has_its_bit(run: Run) -> None:
    x = np.where(np.eye(70), -1, 1).astype(np.float32)
    np.testing.assert_array_equal(run(quantize(x), x)[0], pack(np.eye(70, dtype=bool)))


def test_zeros_and_nan_are_not_negative(run: Run) -> None:
    x = np.array([[-0.0, 0.0, np.nan, -np.nan, -np.inf, np.inf, -1e-38]], np.float32)
    np.testing.assert_array_equal(run(quantize(x), x)[0], [[0b1010000]])


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_any_rank_becomes_bits(run: Run, rank: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 40)[4 - rank :], dtype=np.float32)
    np.testing.assert_array_equal(run(quantize(x), x)[0], pack(x < 0))


def test_int8_is_compared_to_its_zero_point(run: Run) -> None:
    x = np.random.default_rng(0).integers(-128, 128, (3, 50)).astype(np.int8)
    np.testing.assert_array_equal(run(quantize(x, scale=0.1, zero_point=5), x)[0], pack(x < 5))


def test_false_is_negative(run: Run) -> None:
    x = np.random.default_rng(0).random((3, 50)) < 0.5
    np.testing.assert_array_equal(run(quantize(x), x)[0], pack(~x))


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool"])
@pytest.mark.parametrize("channels", [1, 32, 40])
def test_bits_become_values(run: Run, dtype: str, channels: int) -> None:
    negative = np.random.default_rng(0).random((2, 3, channels)) < 0.5
    words = pack(negative)
    model = Model()
    y = model.tensor("y", negative.shape, dtype, **({"scale": 0.02, "zero_point": 100} if dtype == "int8" else {}))
    model.custom("LceDequantize", [model.input("x", words.shape, "int32")], [y])
    model.outputs = [y]
    [got] = run(model.write(), words)
    values = {"float32": (1.0, -1.0), "int8": (127, 50), "bool": (True, False)}[dtype]
    np.testing.assert_array_equal(got, np.where(negative, values[1], values[0]))


@pytest.mark.parametrize("padding", [SAME, VALID])
def test_the_largest_sign_of_a_window_wins(run: Run, padding: int) -> None:
    negative = np.random.default_rng(0).random((2, 5, 6, 40)) < 0.7
    rows, columns = (3, 2) if padding == SAME else (2, 1)
    options = {"padding": padding, "stride_height": 2, "stride_width": 4, "filter_height": 3, "filter_width": 3}
    model = Model()
    y = model.tensor("y", (2, rows, columns, 2), "int32")
    model.custom("LceBMaxPool2d", [model.input("x", (2, 5, 6, 2), "int32")], [y], options)
    model.outputs = [y]
    # TFLite's padding before the image: of rows 1, of columns 0, for one less is missing there.
    top, left = (1, 0) if padding == SAME else (0, 0)
    want = np.ones((2, rows, columns, 40), bool)
    for i in range(rows):
        for j in range(columns):
            window = [slice(max(2 * i - top, 0), 2 * i - top + 3), slice(max(4 * j - left, 0), 4 * j - left + 3)]
            want[:, i, j] = negative[:, window[0], window[1]].all(axis=(1, 2))
    np.testing.assert_array_equal(run(model.write(), pack(negative))[0], pack(want))


@pytest.mark.parametrize(
    ("code", "x", "y", "reason"),
    [
        ("LceQuantize", ((2, 40), "int32"), ((2, 2), "int32"), "neither float32, int8 nor bool"),
        ("LceQuantize", ((2, 40), "float32"), ((2, 2), "float32"), "output is not int32"),
        ("LceDequantize", ((2, 2), "float32"), ((2, 40), "float32"), "input is not int32"),
        ("LceDequantize", ((2, 2), "int32"), ((2, 70), "float32"), "not as many channels"),
        ("LceBMaxPool2d", ((2, 2), "int32"), ((2, 2), "int32"), "not 4"),
        ("LceBMaxPool2d", ((1, 2, 2, 1), "int32"), ((1, 2, 2, 1), "float32"), "not int32"),
    ],
)
def test_other_tensors_are_refused(
    run: Run, code: str, x: Array, y: Array, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    options = dict.fromkeys(("padding", "stride_height", "stride_width", "filter_height", "filter_width"), 1)
    model = Model()
    output = model.tensor("y", *y)
    model.custom(code, [model.input("x", *x)], [output], options)
    model.outputs = [output]
    with pytest.raises(InputError) as failure:
        run(model.write(), np.zeros(x[0], x[1]))
    assert reason in str(failure.value) + capfd.readouterr().err
