"""How the delegate lives with TFLite: made and destroyed, resized, beside XNNPACK, in threads, observed."""

from __future__ import annotations

import ctypes
import gc
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebin.errors import InputError
from edgebin.tflite import delegate, interpreter
from tests.kernels.node_abi import OBSERVER
from tests.kernels.test_dispatch import reference
from tests.tflite.conftest import Array, Run
from tests.tflite.lce import SAME, Conv, Values, conv_model, conv_options, expected, pack
from tests.tflite.model import Model
from tests.tflite.test_edgebin_op import CASES, node

CASE = Conv(40, 50, kernel=(3, 3), padding=SAME)
VALUES = Values.of(CASE)


def set_and_run(made: Any, *inputs: Array) -> list[Array]:
    for detail, array in zip(made.get_input_details(), inputs, strict=True):
        made.set_tensor(detail["index"], array)
    made.invoke()
    return [made.get_tensor(detail["index"]) for detail in made.get_output_details()]


def process_threads() -> int:
    found = re.search(r"^Threads:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_cycles_leave_no_thread_behind(runtime: str, library: Path) -> None:
    model = conv_model(CASE, VALUES)
    [want] = set_and_run(interpreter(model, runtime, library=library), VALUES.x)
    gc.collect()
    before = process_threads()
    for _ in range(10):
        made = interpreter(model, runtime, library=library, num_threads=3)
        np.testing.assert_array_equal(set_and_run(made, VALUES.x)[0], want)
        assert process_threads() >= before + 2
        del made
        gc.collect()
    assert process_threads() <= before


def test_the_batch_can_be_resized(runtime: str, library: Path) -> None:
    made = interpreter(conv_model(CASE, VALUES), runtime, library=library)
    for batch in (3, 1, 2):
        case = replace(CASE, batch=batch)
        values = Values.of(case, seed=batch)
        same_layer = replace(VALUES, x=values.x)
        made.resize_tensor_input(made.get_input_details()[0]["index"], values.x.shape)
        made.allocate_tensors()
        [got] = set_and_run(made, values.x)
        np.testing.assert_allclose(got, expected(case, same_layer), rtol=1e-4, atol=1e-4)


def test_the_batch_of_our_ops_can_be_resized(runtime: str, library: Path) -> None:
    case = CASES["FusedBinaryLinear, bits only"]
    [want] = reference(case)
    model, [x] = node(case, [want])
    made = interpreter(model, runtime, library=library)
    for batch in (1, 2):
        made.resize_tensor_input(made.get_input_details()[0]["index"], (batch, *x.shape[1:]))
        made.allocate_tensors()
        np.testing.assert_array_equal(set_and_run(made, x[:batch])[0].view(np.uint8), want[:batch])


def mixed_model() -> bytes:
    """Builtin ops, which XNNPACK takes, before, between and after custom ones."""
    case = Conv(64, 64)
    model = Model()
    x = model.input("x", (1, 5, 7, 64))
    doubled = model.tensor("doubled", (1, 5, 7, 64))
    model.add(x, x, doubled)
    for index in range(2):
        bits = model.tensor(f"bits{index}", (1, 5, 7, 2), "int32")
        layer, total = (model.tensor(f"{name}{index}", (1, 5, 7, 64)) for name in ("layer", "total"))
        values = Values.of(case, seed=index)
        weight = model.constant(f"filter{index}", pack(values.weight < 0))
        vectors = [model.constant(f"m{index}", values.multiplier), model.constant(f"b{index}", values.bias), -1]
        model.custom("LceQuantize", [doubled], [bits])
        model.custom("LceBconv2d", [bits, weight, *vectors], [layer], conv_options(case))
        model.add(doubled, layer, total)
        doubled = total
    model.outputs = [doubled]
    return model.write()


def test_it_works_beside_xnnpack(run: Run) -> None:
    case = Conv(64, 64)
    x = Values.of(case).x
    want = 2 * x.astype(np.float64)
    for index in range(2):
        want = want + expected(case, replace(Values.of(case, seed=index), x=want.astype(np.float32)))
    np.testing.assert_allclose(run(mixed_model(), x)[0], want, rtol=1e-5, atol=1e-5)


def test_the_batch_can_be_resized_beside_xnnpack(runtime: str, library: Path) -> None:
    x = np.random.default_rng(0).standard_normal((3, 5, 7, 64), dtype=np.float32)
    made = interpreter(mixed_model(), runtime, library=library)
    singly = [set_and_run(made, x[index : index + 1])[0] for index in range(3)]
    for batch in (3, 2):
        made.resize_tensor_input(made.get_input_details()[0]["index"], (batch, *x.shape[1:]))
        made.allocate_tensors()
        np.testing.assert_array_equal(set_and_run(made, x[:batch])[0], np.concatenate(singly[:batch]))


def test_values_between_nodes_stay_tensors(runtime: str, library: Path) -> None:
    module = pytest.importorskip(
        {"tflite_runtime": "tflite_runtime", "litert": "ai_edge_litert"}[runtime] + ".interpreter"
    )
    loaded = delegate(library, runtime=runtime)  # type: ignore[arg-type]
    made = module.Interpreter(
        model_content=conv_model(CASE, VALUES), experimental_delegates=[loaded], experimental_preserve_all_tensors=True
    )
    made.allocate_tensors()
    set_and_run(made, VALUES.x)
    [bits] = [detail["index"] for detail in made.get_tensor_details() if detail["name"] == "bits"]
    np.testing.assert_array_equal(made.get_tensor(bits), pack(VALUES.x < 0))


def test_two_interpreters_can_have_one_delegate(runtime: str, library: Path) -> None:
    module = pytest.importorskip(
        {"tflite_runtime": "tflite_runtime", "litert": "ai_edge_litert"}[runtime] + ".interpreter"
    )
    loaded = delegate(library, num_threads=2, runtime=runtime)  # type: ignore[arg-type]
    made = [
        module.Interpreter(model_content=conv_model(CASE, VALUES), experimental_delegates=[loaded]) for _ in range(2)
    ]
    for one in made:
        one.allocate_tensors()
    [want] = set_and_run(made[0], VALUES.x)
    wrong = []

    def work(one: Any) -> None:
        for _ in range(50):
            if not np.array_equal(set_and_run(one, VALUES.x)[0], want):
                wrong.append(one)

    threads = [threading.Thread(target=work, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_nodes_are_observed_by_name(runtime: str, library: Path) -> None:
    seen = []

    @OBSERVER
    def observer(_self: Any, name: bytes, outputs: Any, count: int, after: int) -> None:
        seen.append((name, count, outputs[0].rank, after))

    plugin = ctypes.CDLL(str(library))
    made = interpreter(conv_model(CASE, VALUES), runtime, library=library)
    plugin.edgebin_observe(observer, None)
    try:
        set_and_run(made, VALUES.x)
    finally:
        plugin.edgebin_observe(None, None)
    set_and_run(made, VALUES.x)
    assert seen == [(b"bits", 1, 4, 0), (b"bits", 1, 4, 1), (b"y", 1, 4, 0), (b"y", 1, 4, 1)]


@pytest.mark.parametrize("code", ["EdgebinNothing", "Edgebin", "LceSomething"])
def test_ops_of_others_are_left_to_tflite(run: Run, code: str, capfd: pytest.CaptureFixture[str]) -> None:
    model = Model()
    y = model.tensor("y", (1, 2))
    model.custom(code, [model.input("x", (1, 2))], [y], {})
    model.outputs = [y]
    with pytest.raises(InputError) as failure:
        run(model.write(), np.zeros((1, 2), np.float32))
    assert f"unresolved custom op: {code}" in str(failure.value) + capfd.readouterr().err


@pytest.mark.parametrize("options", [{"num_threads": "many"}, {"num_threads": -1}, {"threads": 2}, {"num_threads": ""}])
def test_options_that_it_has_not_are_refused(runtime: str, library: Path, options: dict[str, Any]) -> None:
    module = pytest.importorskip(
        {"tflite_runtime": "tflite_runtime", "litert": "ai_edge_litert"}[runtime] + ".interpreter"
    )
    with pytest.raises(ValueError, match="no such option"):
        module.load_delegate(str(library), options)
