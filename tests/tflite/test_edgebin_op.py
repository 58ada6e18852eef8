"""edgebin's own ops in TFLite's runtimes: every op of kernels/dispatch, in the shapes of its own tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgebin.errors import InputError
from tests.kernels.dispatch_cases import Case, cases, concept_cases
from tests.kernels.test_dispatch import reference, same
from tests.tflite.conftest import Array, Run
from tests.tflite.model import Model

CASES = {case.name: case for case in (*cases(), *concept_cases())}


def is_constant(index: int, array: Array) -> bool:
    return index > 0 and array.ndim <= 2


def input_names(case: Case) -> list[str]:
    return [f"x{index}" for index, array in enumerate(case.inputs) if not is_constant(index, array)]


def node(case: Case, outputs: list[Array], **changed: Any) -> tuple[bytes, list[Array]]:
    """A model of one node, and its inputs: weights and vectors are constant, bits between ops int32."""
    model, given, inputs = Model(), [], []
    for index, array in enumerate(case.inputs):
        bits = array.dtype == np.uint8
        if is_constant(index, array):
            inputs.append(model.constant(f"constant{index}", array))
        else:
            given.append(array.view(np.int32) if bits else array)
            inputs.append(model.input(f"x{index}", given[-1].shape, given[-1].dtype.name))
    for index, result in enumerate(outputs):
        words = result.view(np.int32) if result.dtype == np.uint8 else result
        model.outputs.append(model.tensor(f"y{index}", words.shape, words.dtype.name))
    model.custom(f"Edgebin{case.op}", inputs, model.outputs, {**case.attributes, **changed})
    return model.write(), given


@pytest.mark.parametrize("name", CASES)
def test_nodes_compute_what_the_reference_says(run: Run, name: str) -> None:
    case = CASES[name]
    want = reference(case)
    model, inputs = node(case, want)
    got = run(model, *inputs)
    same(case, [one.view(other.dtype) for one, other in zip(got, want, strict=True)], want)
    for threads in (2, 3):
        for one, other in zip(run(model, *inputs, num_threads=threads), got, strict=True):
            np.testing.assert_array_equal(one, other)


BINARY = CASES["FusedBinaryLinear, everything"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"k": "200"}, "`k` is malformed"),
        ({"k": 100}, "rows of"),
        ({"operands": 3}, "`operands` is malformed"),
        ({"operands": "scale scale"}, "twice"),
        ({"results": "out"}, "without `bits"),
        ({"pool": 3}, "no such pool"),
    ],
)
def test_other_attributes_are_refused(
    run: Run, changed: dict[str, Any], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    model, inputs = node(BINARY, reference(BINARY), **changed)
    with pytest.raises(InputError) as failure:
        run(model, *inputs)
    assert reason in str(failure.value) + capfd.readouterr().err


def test_outputs_of_other_shapes_and_types_are_refused(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    want = reference(BINARY)
    for wrong, reason in ((want[0][..., :-1], "does not hold"), (want[0].astype(np.int32), "another type")):
        model, inputs = node(BINARY, [np.ascontiguousarray(wrong), *want[1:]])
        with pytest.raises(InputError) as failure:
            run(model, *inputs)
        assert reason in str(failure.value) + capfd.readouterr().err


def test_rows_are_grouped_as_the_file_says(run: Run) -> None:
    case = CASES["FusedRows, bits only"]
    [want] = reference(case)
    model, inputs = node(case, [want.reshape(5, 6, -1)])
    np.testing.assert_array_equal(run(model, *inputs)[0].view(np.uint8), want.reshape(5, 6, -1))


def test_a_variant_that_this_machine_lacks_gives_way(run: Run) -> None:
    want = reference(BINARY)
    model, inputs = node(BINARY, want, variant="neon_tbl")
    same(BINARY, [one.view(other.dtype) for one, other in zip(run(model, *inputs), want, strict=True)], want)
