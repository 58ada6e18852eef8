"""Our kernels as onnxruntime's custom ops: every op, what it refuses, threads, sessions that come and go."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from elftools.elf.elffile import ELFFile

import edgebin.onnxruntime

# isort: split
import onnxruntime
from onnx import inliner
from onnx.reference import ReferenceEvaluator

from edgebin.backends.ort import build_library, optimised_model
from edgebin.errors import InputError, UnsupportedOp
from edgebin.kernels.select import host_paths
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.elf import check_elf
from tests.backends.ort_models import model_of, names, run, run_case, same, session
from tests.kernels.dispatch_cases import Case, cases, concept_cases
from tests.kernels.references import reference
from tests.passes.graphs import parse

CASES = {case.name: case for case in (*cases(), *concept_cases())}
FUSED = {case.name: case for case in cases()}


@pytest.mark.parametrize("name", CASES)
def test_nodes_compute_what_the_reference_says(ort_library: Path, name: str) -> None:
    case = CASES[name]
    want = reference(case)
    same(run_case(case, want, ort_library), want)


@pytest.mark.parametrize("name", CASES)
def test_variants_and_threads_give_the_same_bits(ort_library: Path, name: str) -> None:
    case = CASES[name]
    shapes = reference(case)
    want = run_case(with_variant(case, "scalar"), shapes, ort_library)
    for path, threads in zip((*host_paths(), host_paths()[0]), (1, 2, 3, 3), strict=False):
        got = run_case(with_variant(case, path), shapes, ort_library, threads=threads)
        for one, other in zip(got, want, strict=True):
            np.testing.assert_array_equal(one, other)


def with_variant(case: Case, path: str) -> Case:
    return replace(case, attributes={**case.attributes, "variant": path})


@pytest.mark.parametrize("name", ["FusedBinaryLinear, everything", "FusedBinaryConv, everything", "BiasedAttention"])
def test_only_the_weight_has_to_be_constant(ort_library: Path, name: str) -> None:
    case = CASES[name]
    constants = [1] if case.op.startswith("Fused") else []
    want = reference(case)
    same(run_case(case, want, ort_library, constants), want)


@pytest.mark.parametrize("name", FUSED)
def test_bodies_in_standard_ops_compute_the_same_without_the_library(ort_library: Path, name: str) -> None:
    """Stock onnxruntime and, after inlining, onnx.reference. Bits follow floats, so these are compared where they are
    far enough from their threshold for a rounding."""
    case = CASES[name]
    want = run_case(case, reference(case), ort_library)
    model = optimised_model(ir.from_proto(model_of(case, want)))
    feeds = {names(case)[0]: case.inputs[0]}
    same(run(model, feeds, None), want)
    same(run(model, feeds, ort_library), want, tolerance=0)
    same(ReferenceEvaluator(inliner.inline_local_functions(model)).run(None, feeds), want)


def test_nodes_of_one_signature_share_a_body() -> None:
    one, two = (CASES[name] for name in ("FusedRows, vectors", "FusedRows, plain"))
    nodes, proto = [], model_of(one, reference(one))
    for index, case in enumerate((one, one, two)):
        node = model_of(case, reference(case)).graph.node[0]
        node.output[:] = [f"y{index}"]
        nodes.append(node)
        proto.graph.value_info.append(onnx.helper.make_tensor_value_info(f"y{index}", 1, one.inputs[0].shape))
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    proto.graph.output[0].name = "y0"
    model = optimised_model(ir.from_proto(proto))
    overloads = [node.overload for node in model.graph.node]
    assert overloads[0] == overloads[1] != overloads[2]
    assert len([function for function in model.functions if function.name == "FusedRows"]) == 2


def test_op_without_a_body_is_named() -> None:
    model = parse("g (float[2, 4] x) => (float[2, 4] y) { y = edgebin.Unheard(x) }")
    with pytest.raises(UnsupportedOp, match="Unheard"):
        optimised_model(model)


LINEAR, ROWS = CASES["FusedBinaryLinear, vectors"], CASES["FusedRows, vectors"]


def without_constants() -> onnx.ModelProto:
    return model_of(LINEAR, reference(LINEAR), constants=[])


def with_attribute(**attributes: object) -> Callable[[], onnx.ModelProto]:
    def make() -> onnx.ModelProto:
        model = model_of(LINEAR, reference(LINEAR))
        [node] = model.graph.node
        kept = [attribute for attribute in node.attribute if attribute.name not in attributes]
        del node.attribute[:]
        node.attribute.extend([*kept, *(onnx.helper.make_attribute(*item) for item in attributes.items())])
        return model

    return make


def in_half_precision() -> onnx.ModelProto:
    half = replace(ROWS, inputs=(ROWS.inputs[0].astype(np.float16), *ROWS.inputs[1:]))
    return model_of(half, reference(ROWS))


def with_outputs_of_bytes() -> onnx.ModelProto:
    return model_of(ROWS, [array.astype(np.uint8) for array in reference(ROWS)])


def with_an_output_too_few() -> onnx.ModelProto:
    case = CASES["FusedRows, everything"]
    model = model_of(case, reference(case))
    del model.graph.output[1:]
    del model.graph.node[0].output[1:]
    return model


def with_an_output_left_out() -> onnx.ModelProto:
    case = CASES["FusedRows, everything"]
    model = model_of(case, reference(case))
    del model.graph.output[1]
    model.graph.node[0].output[1] = ""
    return model


def with_too_many_inputs() -> onnx.ModelProto:
    model = model_of(ROWS, reference(ROWS))
    model.graph.node[0].input.extend(["x0"] * 40)
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (without_constants, "the.node` .FusedBinaryLinear.: its input 1 is not constant"),
        (with_attribute(k=300), "uint8 rows of 40 bytes"),
        (with_attribute(operands="scale banana"), "banana"),
        (with_attribute(operands="scale"), "4 inputs, not 3"),
        (with_attribute(results="out bits0"), "threshold0"),
        (in_half_precision, "not rows of float32"),
        (with_outputs_of_bytes, r"Type .tensor.uint8.. of output arg .* does not match"),
        (with_an_output_too_few, "leaves out one of its results"),
        (with_an_output_left_out, "leaves out one of its results"),
        (with_too_many_inputs, "too many inputs"),
    ],
)  # fmt: skip
def test_bad_nodes_are_errors_of_the_session(
    ort_library: Path, make: Callable[[], onnx.ModelProto], message: str
) -> None:
    model = make()
    feeds = {}
    for value in model.graph.input:
        tensor = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        feeds[value.name] = np.zeros([dim.dim_value for dim in tensor.shape.dim], dtype)
    with pytest.raises(Exception, match=message):
        run(model, feeds, ort_library)


def test_results_of_another_type_are_refused_where_nothing_could_be_inferred(ort_library: Path) -> None:
    model = with_outputs_of_bytes()
    model.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(Exception, match="another type than it has"):
        run(model, {"x0": ROWS.inputs[0]}, ort_library)


def without_result_types(case: Case) -> onnx.ModelProto:
    model = model_of(case, reference(case))
    for value in model.graph.output:
        value.ClearField("type")
    return model


@pytest.mark.parametrize("name", CASES)
def test_types_and_shapes_of_results_are_inferred(ort_library: Path, name: str) -> None:
    case = CASES[name]
    want, made = reference(case), session(without_result_types(case), ort_library)
    said = [onnx.helper.np_dtype_to_tensor_dtype(array.dtype) for array in want]
    names = {1: "tensor(float)", 2: "tensor(uint8)", 6: "tensor(int32)"}
    assert [value.type for value in made.get_outputs()] == [names[kind] for kind in said]
    assert [tuple(value.shape) for value in made.get_outputs()] == [array.shape for array in want]
    same(made.run(None, {"x0": case.inputs[0]}), want)


@pytest.mark.parametrize("batch", ["batch", None])
@pytest.mark.parametrize("name", ["SignPack", "BinaryLinear", "RPReLU", "BinaryConv2d", "PlusStencil"])
def test_a_batch_of_any_size_stays_one_when_shapes_are_inferred(
    ort_library: Path, name: str, batch: str | None
) -> None:
    case = CASES[name]
    [want], model = reference(case), without_result_types(case)
    size = model.graph.input[0].type.tensor_type.shape.dim[0]
    size.Clear()
    if batch:
        size.dim_param = batch
    made = session(model, ort_library)
    [first, *others] = made.get_outputs()[0].shape
    assert isinstance(first, str)
    assert first == (batch or first)
    assert tuple(others) == want.shape[1:]
    same(made.run(None, {"x0": case.inputs[0]}), [want])


def test_sessions_come_and_go_and_run_at_the_same_time(ort_library: Path) -> None:
    case = CASES["FusedBinaryConv, everything"]
    model, want = model_of(case, reference(case)), run_case(case, reference(case), ort_library)
    feeds = {"x0": case.inputs[0]}
    shared = session(model, ort_library, threads=2)

    def results(turn: int) -> list[np.ndarray]:
        mine = shared if turn % 2 else session(model, ort_library, threads=1 + turn % 3)
        return mine.run(None, feeds)

    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(results, range(48)):
            for one, other in zip(got, want, strict=True):
                np.testing.assert_array_equal(one, other)


def test_library_shows_two_symbols_and_needs_an_old_c_library(tmp_path: Path) -> None:
    for target in (load_target("x86-64"), load_target("rpi3b-plus")):
        library = build_library(target, find_compiler(target), tmp_path / f"{target.id}.so")
        check_elf(library, target)
        with library.open("rb") as stream:
            elf = ELFFile(stream)
            assert elf.get_section_by_name(".symtab") is None
            symbols = elf.get_section_by_name(".dynsym").iter_symbols()
            shown = {symbol.name for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF"}
        assert shown == {"RegisterCustomOps", "edgebin_observe"}


def test_libraries_that_onnxruntime_cannot_load_are_input_errors(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    with pytest.raises(InputError, match="no library"):
        edgebin.onnxruntime.register(options, tmp_path / "gone.so")
    (tmp_path / "text.so").write_text("not a library")
    with pytest.raises(InputError, match="cannot load"):
        edgebin.onnxruntime.register(options, str(tmp_path / "text.so"))


def test_the_host_library_is_found_without_being_named() -> None:
    options = onnxruntime.SessionOptions()
    edgebin.onnxruntime.register(options)
    case = CASES["SignPack"]
    model = model_of(case, reference(case))
    made = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(made.run(None, {"x0": case.inputs[0]})[0], reference(case)[0])
