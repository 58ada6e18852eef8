"""Nodes as calls of kernels: what they compute, how they are split, and what they refuse."""

from __future__ import annotations

import ctypes
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgebin.graph.ops import CONCEPT_OPS
from edgebin.kernels.build import compile_dispatch, compile_objects
from edgebin.kernels.layout import pack_b1_weights, pack_conv_weights, pack_f32_weights, pack_w1_weights
from edgebin.kernels.packing import pack_bits
from edgebin.kernels.select import host_paths
from edgebin.kernels.variants import Variant, variants
from edgebin.toolchain.compiler import Compiler
from tests.kernels.dispatch_cases import Array, Case, cases, concept_cases
from tests.kernels.node_abi import OBSERVER, PARALLEL_FOR, Dispatch, Refused
from tests.kernels.references import reference


class CVariant(ctypes.Structure):
    """`eb_variant` of kernels/linked/variants.h."""

    _fields_ = (
        *((name, ctypes.c_char_p) for name in ("op", "path")),
        *((name, ctypes.c_size_t) for name in ("nr", "word_bits")),
        *((name, ctypes.c_void_p) for name in ("run", "workspace")),
    )


CASES = {case.name: case for case in (*cases(), *concept_cases())}


@pytest.fixture(scope="module")
def dispatch(tmp_path_factory: pytest.TempPathFactory, host_compiler: Compiler) -> Dispatch:
    folder: Path = tmp_path_factory.mktemp("dispatch")
    objects = compile_objects(host_paths(), host_compiler, folder, ["-fvisibility=hidden"])
    objects += compile_dispatch(host_compiler, folder, ["-Werror"])
    host_compiler.compile(objects, folder / "dispatch.so", ["-shared", "-lm"])
    return Dispatch(ctypes.CDLL(str(folder / "dispatch.so")))


def same(case: Case, got: list[Array], want: list[Array]) -> None:
    for one, other in zip(got, want, strict=True):
        assert one.dtype == other.dtype
        if one.dtype == np.float32:
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5, err_msg=case.name)
        else:
            np.testing.assert_array_equal(one, other, err_msg=case.name)


@pytest.mark.parametrize("name", CASES)
def test_nodes_compute_what_the_reference_says(dispatch: Dispatch, name: str) -> None:
    case = CASES[name]
    same(case, dispatch.run(case.op, case.inputs, **case.attributes), reference(case))


@pytest.mark.parametrize("name", CASES)
def test_variants_and_numbers_of_parts_give_the_same_bits(dispatch: Dispatch, name: str) -> None:
    case = CASES[name]
    want = dispatch.run(case.op, case.inputs, variant="scalar", **case.attributes)
    for path in host_paths():
        for parts in (1, 2, 3, 99):
            node = dispatch.node(case.op, case.inputs, parts=parts, variant=path, **case.attributes)
            assert node.variant == path
            for one, other in zip(node.run(case.inputs), want, strict=True):
                np.testing.assert_array_equal(one, other)


def test_every_op_has_a_case_and_every_concept_op_is_one(dispatch: Dispatch) -> None:
    names, index = [], 0
    while name := dispatch.library.eb_op_name(ctypes.c_size_t(index)):
        names.append(name.decode())
        index += 1
    assert set(names) == {case.op for case in CASES.values()}
    assert set(names) >= set(CONCEPT_OPS)


PACKED = [variant for variant in variants() if variant.op in ("b1_gemm", "w1_gemm", "f32_gemm", "b1_conv")]


@pytest.mark.parametrize("variant", PACKED, ids=lambda variant: variant.symbol)
def test_packing_is_pythons(dispatch: Dispatch, variant: Variant) -> None:
    """Byte for byte, for every variant of every architecture: packing needs no kernel."""
    random = np.random.default_rng(5)
    c = CVariant(nr=variant.nr, word_bits=variant.word_bits)
    for n, k, groups in ((1, 1, 1), (36, 200, 1), (66, 130, 3)):
        weight = pack_bits(random.random((n, k)) < 0.5)
        library = dispatch.library
        if variant.op == "f32_gemm":
            weight = random.normal(size=(n, k)).astype(np.float32)
            want, pack, sizes = pack_f32_weights(weight, variant), library.eb_pack_panels, [n, 4 * k]
        elif variant.op == "w1_gemm":
            want, pack, sizes = pack_w1_weights(weight, k, variant), library.eb_pack_bit_panels, [n, k]
        elif variant.op == "b1_conv":
            want, pack = pack_conv_weights(weight, groups, variant), library.eb_pack_group_panels
            sizes = [n, weight.shape[1], groups]
        else:
            want, pack, sizes = pack_b1_weights(weight, variant), library.eb_pack_panels, [n, weight.shape[1]]
        panels = np.zeros(want.nbytes, np.uint8)
        pack.restype = None
        pack(
            ctypes.c_void_p(weight.ctypes.data), *map(ctypes.c_size_t, sizes), ctypes.byref(c),
            ctypes.c_void_p(panels.ctypes.data),
        )  # fmt: skip
        np.testing.assert_array_equal(panels, want.view(np.uint8).ravel())


@pytest.mark.parametrize("name", ["FusedBinaryLinear, everything", "FusedBinaryConv, bits only", "BinaryAttention"])
def test_parts_may_run_at_the_same_time(dispatch: Dispatch, name: str) -> None:
    case = CASES[name]
    used = []

    @PARALLEL_FOR
    def in_threads(_pool, count, part, call):
        used.append(count)
        threads = [threading.Thread(target=part, args=(call, index)) for index in reversed(range(count))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    node = dispatch.node(case.op, case.inputs, parts=3, **case.attributes)
    for one, other in zip(node.run(case.inputs, in_threads), node.run(case.inputs), strict=True):
        np.testing.assert_array_equal(one, other)
    assert used[0] > 1


def test_one_node_runs_in_many_threads(dispatch: Dispatch) -> None:
    case = CASES["FusedBinaryConv, everything"]
    node = dispatch.node(case.op, case.inputs, parts=2, **case.attributes)
    want = node.run(case.inputs)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: node.run(case.inputs), range(80)):
            for one, other in zip(got, want, strict=True):
                np.testing.assert_array_equal(one, other)


def test_bits_may_be_words_of_int32(dispatch: Dispatch) -> None:
    case = CASES["FusedBinaryLinear, bits only"]
    words = (case.inputs[0].view(np.int32), *case.inputs[1:])
    node = dispatch.node(case.op, case.inputs, **case.attributes)
    [want] = node.run(case.inputs)
    out = np.zeros(want.view(np.int32).shape, np.int32)
    [got] = node.run(words, outputs=[out])
    np.testing.assert_array_equal(got.view(np.uint8), want)


def test_shapes_group_the_rows_of_results(dispatch: Dispatch) -> None:
    case = CASES["FusedRows, bits only"]
    node = dispatch.node(case.op, case.inputs, shapes="5x6x8", **case.attributes)
    assert node.output_shapes(case.inputs) == [((5, 6, 8), np.uint8)]
    with pytest.raises(Refused, match="shapes"):
        dispatch.run(case.op, case.inputs, shapes="5x5x8", **case.attributes)


def test_no_rows_are_no_work(dispatch: Dispatch) -> None:
    for case in CASES.values():
        if case.op.startswith("Binary") or case.op in ("FusedRows", "FusedLinear"):
            x = case.inputs[0]
            empty = [array[:0] if array.ndim == x.ndim and len(array) == len(x) else array for array in case.inputs]
            for result in dispatch.node(case.op, empty, **case.attributes).run(empty):
                assert result.size == 0


def test_variants_that_are_not_linked_in_give_way_to_the_best(dispatch: Dispatch) -> None:
    case = CASES["FusedRows, plain"]
    for variant in ("", "neon_tbl", "nonsense"):
        assert dispatch.node(case.op, case.inputs, variant=variant, **case.attributes).variant == host_paths()[0]


def test_the_observer_sees_each_run_of_each_node(dispatch: Dispatch) -> None:
    case, seen = CASES["FusedRows, plain"], []

    @OBSERVER
    def observer(_self, name, outputs, count, after):
        first = ctypes.cast(outputs[0].data, ctypes.POINTER(ctypes.c_float))[0]
        seen.append((name.decode(), count, after, first if after else None))

    dispatch.library.edgebin_observe(observer, None)
    node = dispatch.node(case.op, case.inputs, name="layer.0", **case.attributes)
    [out] = node.run(case.inputs)
    dispatch.library.edgebin_observe(None, None)
    node.run(case.inputs)
    assert seen == [("layer.0", 1, 0, None), ("layer.0", 1, 1, out.flat[0])]


def changed(name: str, **attributes: object) -> Case:
    case = CASES[name]
    return replace(case, attributes={**case.attributes, **attributes})


def reshaped(name: str, index: int, array: Array) -> Case:
    case = CASES[name]
    return replace(case, inputs=(*case.inputs[:index], array, *case.inputs[index + 1 :]))


LINEAR, ROWS, CONV = "FusedBinaryLinear, vectors", "FusedRows, vectors", "FusedBinaryConv, vectors"
BAD = [
    (changed(LINEAR, k=0), "rows of 0 bits"),
    (changed(LINEAR, k=-5), "rows of -5 bits"),
    (changed(LINEAR, k=2**40), "bits"),
    (changed(LINEAR, k=300), "uint8 rows of 40 bytes"),
    (changed(LINEAR, k=199), "bits beyond the first 199"),
    (changed(LINEAR, operands="scale banana"), "banana"),
    (changed(LINEAR, operands="scale scale"), "twice"),
    (changed(LINEAR, operands="scale"), "4 inputs, not 3"),
    (changed(LINEAR, results="out out"), "twice"),
    (changed(LINEAR, results="context"), "context"),
    (changed(LINEAR, results="bits0"), "threshold0"),
    (changed(LINEAR, results=""), "no results"),
    (changed(LINEAR, operands="scale threshold0"), "without `bits0`"),
    (changed(LINEAR, operands="scale residual1"), "without `residual0`"),
    (changed(LINEAR, operands="scale gain"), "gain"),
    (changed(LINEAR, pool=3), "pool"),
    (changed(ROWS, pool=8), "36 columns do not pool by 8"),
    (changed(LINEAR, shapes="2x15"), "shapes"),
    (changed(LINEAR, shapes="2x15x36 1"), "shapes"),
    (changed(LINEAR, shapes="2xx36"), "shapes"),
    (changed(LINEAR, shapes="99999999999999999999x36"), "shapes"),
    (changed(CONV, kernel=2), "kernel"),
    (changed(CONV, kernel=2**40 + 1), "kernel"),
    (changed(CONV, groups=0), "groups"),
    (changed(CONV, groups=5), "groups"),
    (changed(CONV, dilation=0), "dilation"),
    (changed(CONV, channels=2**62), "groups"),
    (changed("FusedLayerNorm, plain", epsilon=-1.0), "epsilon"),
    (changed("FusedLayerNorm, plain", epsilon=float("nan")), "epsilon"),
    (changed("RelativeAttention", heads=0), "heads"),
    (changed("RelativeAttention", heads=9), "bytes of bits"),
    (changed("RelativeAttention", head_dim=12), "multiples of 8"),
    (changed("RelativeAttention", head_dim=256), "multiples of 8"),
    (changed("RelativeAttention", drop=-1), "drop"),
    (reshaped(LINEAR, 0, np.zeros((2, 24), np.uint8)), "rows of 32 bytes"),
    (reshaped(LINEAR, 0, np.zeros((2, 32), np.float32)), "rows of 32 bytes"),
    (reshaped(LINEAR, 1, np.zeros((1, 36, 32), np.uint8)), "not a matrix"),
    (reshaped(LINEAR, 1, np.zeros((36, 32), np.float32)), "uint8 rows"),
    (reshaped(LINEAR, 2, np.zeros(35, np.float32)), "`scale`"),
    (reshaped(LINEAR, 2, np.zeros(36, np.int32)), "`scale`"),
    (reshaped("FusedRows, everything", 3, np.zeros((2, 14, 36), np.float32)), "`residual0`"),
    (reshaped("FusedRows, everything", 3, np.zeros((2, 15, 7), np.float32)), "`residual0`"),
    (reshaped(ROWS, 0, np.zeros((2, 15, 36), np.int64)), "rows of float32"),
    (reshaped("FusedTernaryLinear, plain", 1, np.zeros((2, 14, 32), np.uint8)), "planes"),
    (reshaped("FusedMatMul, plain", 1, np.zeros((2, 2, 50, 36), np.float32)), "equally many"),
    (reshaped("FusedMatMul, plain", 1, np.zeros((2, 3, 49, 36), np.float32)), "multiply"),
    (reshaped(CONV, 0, np.zeros((2, 5, 8), np.uint8)), "images"),
    (reshaped("FusedStencil, circular 0, 4 inputs", 3, np.zeros((2, 7, 5, 18), np.float32)), "`skip`"),
    (reshaped("FusedStencil, circular 0, 3 inputs", 1, np.zeros((8, 19), np.float32)), "taps"),
    (reshaped("BinaryAttention", 1, np.zeros((4, 20, 16), np.uint8)), "fit together"),
    (reshaped("BinaryAttention", 3, np.full(25, -1, np.int64)), "64 bits"),
    (reshaped("BinaryAttention", 3, np.full(25, 2**62, np.int64)), "64 bits"),
    (reshaped("BinaryAttention", 4, np.arange(150, 0, -1).reshape(2, 3, 25)), "falls"),
    (reshaped("BinaryAttention", 4, np.zeros((2, 3, 24), np.int64)), "tables"),
    (reshaped("BiasedAttention", 3, np.zeros((3, 3, 9, 21), np.float32)), "bias"),
    (reshaped("BiasedAttention", 4, np.zeros(2, np.float32)), "scale"),
    (reshaped("RPReLU", 1, np.zeros(35, np.float32)), "35 values"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "message"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_bad_nodes_are_refused(dispatch: Dispatch, case: Case, message: str) -> None:
    with pytest.raises(Refused, match=message):
        dispatch.run(case.op, case.inputs, **case.attributes)


def test_weights_that_are_not_constant_and_unknown_ops_are_refused(dispatch: Dispatch) -> None:
    case = CASES[LINEAR]
    dispatch.library.eb_constant_input, honest = (lambda _: -1), dispatch.library.eb_constant_input
    try:
        with pytest.raises(Refused, match="not constant"):
            dispatch.node(case.op, case.inputs, **case.attributes)
        with pytest.raises(Refused, match="no op `Softmax`"):
            dispatch.node("Softmax", case.inputs)
    finally:
        dispatch.library.eb_constant_input = honest


def test_outputs_without_room_are_refused(dispatch: Dispatch) -> None:
    case = CASES[ROWS]
    node = dispatch.node(case.op, case.inputs, **case.attributes)
    with pytest.raises(Refused, match="no room"):
        node.run(case.inputs, outputs=[np.zeros((2, 15, 35), np.float32)])
