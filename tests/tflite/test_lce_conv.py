"""LceBconv2d of the delegate against numpy and against LCE's own reference kernel."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgebin.errors import InputError
from tests.backends.tflite.runtimes import run_lce
from tests.tflite.conftest import Run
from tests.tflite.lce import SAME, VALID, Conv, Values, conv_model, conv_options, expected, pack
from tests.tflite.model import Model

HAS_LCE = importlib.util.find_spec("larq_compute_engine") is not None

CASES = {
    "1x1": Conv(384, 64),
    "1x1 of 33 channels": Conv(33, 7),
    "1x1 of 40 channels": Conv(40, 50),
    "1x1 of 64 channels": Conv(64, 197),
    "1x1, rows of one word, batch of 2": Conv(32, 33, batch=2),
    "1x1 that is said to be padded": Conv(96, 20, padding=SAME),
    "1x1 with strides": Conv(64, 20, stride=(2, 3)),
    "3x3": Conv(64, 64, kernel=(3, 3)),
    "3x3 of 33 channels": Conv(33, 7, kernel=(3, 3)),
    "3x3 in zeros": Conv(64, 64, kernel=(3, 3), padding=SAME),
    "3x3 in ones": Conv(64, 40, kernel=(3, 3), padding=SAME, pad_value=1),
    "3x3 of 40 channels in zeros, strides, batch of 2": Conv(
        40, 50, kernel=(3, 3), padding=SAME, stride=(2, 2), batch=2
    ),
    "3x3 of 33 channels in ones, strides": Conv(33, 20, kernel=(3, 3), padding=SAME, pad_value=1, stride=(2, 2)),
    "3x3, dilation": Conv(64, 32, kernel=(3, 3), dilation=(2, 2), padding=SAME),
    "3x3, two strides, two dilations": Conv(
        50, 32, size=(9, 8), kernel=(3, 3), stride=(1, 2), dilation=(2, 1), padding=SAME, pad_value=1
    ),
    "3x2 in zeros, dilation": Conv(50, 32, kernel=(3, 2), dilation=(1, 2), padding=SAME),
    "5x5 in zeros of a smaller image": Conv(32, 8, size=(3, 4), kernel=(5, 5), padding=SAME),
    "1x1, groups": Conv(128, 32, groups=2),
    "1x1, groups of one word": Conv(96, 96, groups=3),
    "3x3 in zeros, groups": Conv(128, 64, groups=4, kernel=(3, 3), padding=SAME),
    "3x3, groups with 33 outputs each, strides": Conv(128, 66, groups=2, kernel=(3, 3), stride=(2, 1)),
    "3x3 in ones, groups": Conv(64, 10, groups=2, kernel=(3, 3), padding=SAME, pad_value=1),
}


def _variations() -> Iterator[Any]:
    """Every case with every output and activation that LCE has it with."""
    for name, case in CASES.items():
        zeros = case.padding == SAME and case.pad_value == 0 and case.kernel != (1, 1)
        for output in ("float32",) if zeros else ("float32", "int8", "int32"):
            for activation in (0,) if zeros or output == "int32" else (0, 1, 2, 3):
                changed = replace(case, output=output, activation=activation)
                yield pytest.param(changed, id=f"{name}, {output}, activation {activation}")


VARIATIONS = list(_variations())


def rounding(case: Conv, values: Values) -> Any:
    """LCE rounds the product with the multiplier and then the sum, of terms as large as this; we round once."""
    largest = case.k * np.abs(values.multiplier) + np.abs(values.bias)
    return 2 * np.finfo(np.float32).eps * largest


@pytest.mark.parametrize("case", VARIATIONS)
def test_it_computes_what_numpy_does(run: Run, case: Conv) -> None:
    values = Values.of(case)
    [got] = run(conv_model(case, values), values.x)
    want = expected(case, values)
    if case.output == "float32":
        assert (np.abs(got - want) <= rounding(case, values)).all()
    elif case.output == "int8":
        assert np.abs(got - np.clip(want, -128, 127)).max() <= 0.5 + 1e-3
    else:
        np.testing.assert_array_equal(got, want)


@pytest.mark.skipif(not HAS_LCE, reason="larq_compute_engine is not installed")
@pytest.mark.parametrize("case", VARIATIONS)
def test_it_computes_what_lce_does(run: Run, case: Conv) -> None:
    if case.padding == SAME and case.pad_value == 0:
        if case.channels % 2:
            pytest.skip("LCE's reference kernel refuses to pad an odd number of channels with zeros")
        if case.output == "int32":
            pytest.skip("LCE crashes: it reads the multipliers that such an op has not")
    values = Values.of(case, seed=1)
    model = conv_model(case, values)
    [got] = run(model, values.x)
    want = run_lce(model, [values.x], kernels="reference")[0].reshape(got.shape)
    if case.output == "float32":
        assert (np.abs(got - want) <= rounding(case, values)).all()
    else:
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("case", VARIATIONS)
def test_threads_do_not_change_a_bit(run: Run, case: Conv) -> None:
    values = Values.of(case)
    model = conv_model(case, values)
    [want] = run(model, values.x)
    for threads in (2, 3):
        np.testing.assert_array_equal(run(model, values.x, num_threads=threads)[0], want)


@pytest.mark.parametrize("name", ["1x1 of 40 channels", "3x3 in zeros", "3x3, groups with 33 outputs each, strides"])
def test_a_filter_that_changes_between_runs_is_packed_again(run: Run, name: str) -> None:
    case = CASES[name]
    values = Values.of(case)
    [got] = run(conv_model(case, values, constant_filter=False), values.x, pack(values.weight < 0))
    assert (np.abs(got - expected(case, values)) <= rounding(case, values)).all()


def _refused(run: Run, case: Conv, reason: str, capfd: pytest.CaptureFixture[str], **values: npt.NDArray[Any]) -> None:
    drawn = replace(Values.of(case), **values)
    with pytest.raises(InputError) as failure:
        run(conv_model(case, drawn), drawn.x)
    assert reason in str(failure.value) + capfd.readouterr().err


@pytest.mark.parametrize("variant", ["scalar", "neon_tbl", ""])
def test_the_kernel_that_a_file_names_gives_the_same_bits(run: Run, variant: str) -> None:
    case = CASES["1x1 of 40 channels"]
    values = Values.of(case)
    named = conv_model(case, values, variant=variant)
    np.testing.assert_array_equal(run(named, values.x)[0], run(conv_model(case, values), values.x)[0])


@pytest.mark.skipif(not HAS_LCE, reason="larq_compute_engine is not installed")
def test_lce_does_not_mind_the_kernel_that_a_file_names() -> None:
    case = CASES["1x1 of 40 channels"]
    values = Values.of(case)
    for kernels in ("reference", "indirect", "ruy"):
        [got] = run_lce(conv_model(case, values, variant="neon_tbl"), [values.x], kernels=kernels)
        [want] = run_lce(conv_model(case, values), [values.x], kernels=kernels)
        np.testing.assert_array_equal(got, want)


def test_a_kernel_that_is_no_name_is_refused(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    case = Conv(32, 8)
    values = Values.of(case)
    with pytest.raises(InputError) as failure:
        run(conv_model(case, values, variant=3), values.x)
    assert "`variant` is malformed" in str(failure.value) + capfd.readouterr().err


@pytest.mark.parametrize(("output", "activation"), [("int8", 0), ("int32", 0), ("float32", 1)])
def test_zeros_round_an_image_are_refused_where_lce_has_none(
    run: Run, output: str, activation: int, capfd: pytest.CaptureFixture[str]
) -> None:
    case = Conv(64, 8, kernel=(3, 3), padding=SAME, output=output, activation=activation)
    _refused(run, case, "zero padding", capfd)


def test_groups_that_are_no_whole_words_are_refused(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    _refused(run, Conv(96, 8, groups=2, padding=VALID), "words", capfd)


def test_vectors_of_another_length_are_refused(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    _refused(run, Conv(64, 8), "constant float32 vector of 8", capfd, multiplier=np.ones(7, np.float32))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"pad_value": 2}, "pad_values"),
        ({"activation": 4}, "activation"),
        ({"padding": 2}, "window"),
        ({"dilation": (9, 1)}, "window"),
        ({"stride": (0, 1)}, "window"),
        ({"channels": 33}, "33 channels"),
    ],
)
def test_other_options_than_there_are_are_refused(
    run: Run, changed: dict[str, Any], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    case = Conv(32, 8, kernel=(2, 1))
    values = Values.of(case)
    model = Model()
    x = model.input("x", (1, 5, 7, 1), "int32")
    vectors = [model.constant("multiplier", values.multiplier), model.constant("bias", values.bias), -1]
    y = model.tensor("y", (1, 4, 7, 8))
    model.custom(
        "LceBconv2d",
        [x, model.constant("filter", pack(values.weight < 0)), *vectors],
        [y],
        conv_options(replace(case, **changed)),
    )
    model.outputs = [y]
    with pytest.raises(InputError) as failure:
        run(model.write(), np.zeros((1, 5, 7, 1), np.int32))
    assert reason in str(failure.value) + capfd.readouterr().err
