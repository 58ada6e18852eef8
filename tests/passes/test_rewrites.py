"""Each rewrite on a graph of its own: what it makes, what it leaves alone, and that the numbers stay."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgebin.passes.bypass_reshapes import bypass_reshapes
from edgebin.passes.constant_gather import slice_constant_gathers
from edgebin.passes.fuse_epilogues import fuse_epilogues
from edgebin.passes.gelu import expand_gelu
from edgebin.passes.kernel_calls import lower_to_kernel_calls
from edgebin.passes.layer_norm import lower_layer_norm
from edgebin.passes.linear import lower_linear
from edgebin.passes.nested_sums import flatten_sums
from edgebin.passes.patch_embedding import lower_patch_embedding
from edgebin.passes.pooled_output import pool_outputs
from edgebin.passes.stencil_skip import add_in_stencils
from edgebin.passes.tiled_residuals import read_tiled_residuals
from tests.passes.graphs import parse, printed, rewritten, run

RANDOM = np.random.default_rng(3)


def vector(columns: int) -> np.ndarray:
    return RANDOM.normal(size=columns).astype(np.float32)


def matrix(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def test_matmul_and_gemm_with_constant_weights_become_linear() -> None:
    model = parse(
        "g (float[3, 4] x) => (float[3, 5] y) { h = MatMul(x, w)  y = Gemm <transB = 1> (h, v, b) }",
        {"w": matrix(4, 6), "v": matrix(5, 6), "b": vector(5)},
    )
    before = run(model)
    lower_linear(model)
    assert printed(model) == ["FusedLinear(x) -> h", "FusedLinear(h; bias) -> y"]
    np.testing.assert_allclose(run(model)[0], before[0], rtol=1e-5)


def test_weights_that_are_turned_in_the_graph_become_linear() -> None:
    model = parse(
        "g (float[3, 4] x) => (float[3, 5] y, float[3, 4] z) "
        "{ f = Reshape(w, s)  t = Transpose <perm = [1, 0]> (f)  y = MatMul(x, t) "
        "u = Transpose(v)  z = MatMul(x, u) }",
        {"w": matrix(5, 2, 2), "v": matrix(4, 4), "s": np.array([5, 4])},
    )
    before = run(model)
    lines = rewritten(model, lower_linear)
    assert [line for line in lines if "x" in line] == ["FusedLinear(x) -> y", "FusedLinear(x) -> z"]
    for now, then in zip(run(model), before, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-5)


def test_product_of_two_activations_is_a_call_too() -> None:
    model = parse(
        "g (float[2, 3, 4] x, float[2, 4, 5] z) => (float[2, 3, 5] y) { h = MatMul(x, z)  y = Mul(h, s) }",
        {"s": vector(1)},
    )
    lines = rewritten(model, lower_linear, lower_to_kernel_calls, fuse_epilogues)
    assert lines == ["FusedMatMul(x, z; scale) -> y"]


def test_broadcast_product_is_left_alone() -> None:
    model = parse("g (float[2, 3, 4] x, float[4, 3] z) => (float[2, 3, 3] y) { y = MatMul(x, z) }")
    lower_linear(model)
    assert printed(model) == ["MatMul(x, z) -> y"]


def test_patch_embedding_puts_tokens_first_without_a_transpose_back() -> None:
    model = parse(
        """g (float[2, 3, 8, 8] x) => (float[2, 4, 5] y) {
            c = Conv <strides = [4, 4], kernel_shape = [4, 4]> (x, w, b)
            f = Reshape(c, shape)
            y = Transpose <perm = [0, 2, 1]> (f)
        }""",
        {"w": matrix(5, 3, 4, 4), "b": vector(5), "shape": np.array([2, 5, 4], np.int64)},
    )
    before = run(model)
    lower_patch_embedding(model)
    np.testing.assert_allclose(run(model)[0], before[0], rtol=1e-4, atol=1e-5)
    linear = next(node for node in model.graph if node.op_type == "FusedLinear")
    assert linear.outputs[0].is_graph_output()


def test_overlapping_convolution_is_left_alone() -> None:
    model = parse(
        "g (float[1, 3, 8, 8] x) => (float[1, 5, 3, 3] y) { y = Conv <strides = [2, 2]> (x, w) }",
        {"w": matrix(5, 3, 4, 4)},
    )
    lower_patch_embedding(model)
    assert [node.op_type for node in model.graph] == ["Conv"]


def test_elementwise_chain_is_one_call() -> None:
    model = parse(
        """g (float[3, 64] x, float[3, 64] r) => (float[3, 64] y) {
            a = Mul(x, s)  b = Add(a, t)  c = Add(b, r)
            d = edgebin.RPReLU(c, shift, slope, offset)  e = Mul(d, u)  y = Add(e, v)
        }""",
        {name: vector(64) for name in ("s", "t", "shift", "slope", "offset", "u", "v")},
    )
    for node in model.graph:
        node.outputs[0].shape, node.outputs[0].type = model.graph.inputs[0].shape, model.graph.inputs[0].type
    lines = rewritten(model, lower_to_kernel_calls, fuse_epilogues)
    assert lines == ["FusedRows(x; scale, bias, residual0=r, slope, offset, gain, shift) -> y"]


def test_value_with_two_readers_is_stored_and_packed_in_one_call() -> None:
    model = parse(
        """g (float[3, 64] x, float[3, 64] r) => (float[3, 64] y, uint8[3, 8] p, uint8[3, 8] q) {
            n = Mul(x, s)  p = edgebin.SignPack(n, t)  q = edgebin.SignPack(n, u)  y = Add(n, r)
        }""",
        {name: vector(64) for name in ("s", "t", "u")},
    )
    lines = rewritten(model, lower_to_kernel_calls, fuse_epilogues)
    assert lines == [
        "FusedRows(x; scale, threshold0, threshold1) -> n, p, q",
        "FusedRows(n; residual0=r) -> y",
    ]


def test_gemm_finishes_the_sum_whichever_side_it_is_on() -> None:
    for total in ("Add(h, r)", "Add(r, h)"):
        model = parse(
            f"g (float[3, 4] x, float[3, 5] r) => (float[3, 5] y) {{ h = MatMul(x, w)  y = {total} }}",
            {"w": matrix(4, 5)},
        )
        lower_linear(model)
        assert rewritten(model, lower_to_kernel_calls, fuse_epilogues) == ["FusedLinear(x; residual0=r) -> y"]


def test_tensor_beside_itself_is_read_in_place() -> None:
    for total in ("Add(x, z)", "Add(z, x)"):
        model = parse(
            f"g (float[3, 8] x, float[3, 4] r) => (float[3, 8] y) {{ z = Concat <axis = -1> (r, r)  y = {total} }}"
        )
        lines = rewritten(model, lower_to_kernel_calls, read_tiled_residuals)
        assert lines[-1] == "FusedRows(x; residual0=r) -> y"


def test_two_different_halves_are_no_tile() -> None:
    model = parse(
        """g (float[3, 8] x, float[3, 4] r, float[3, 4] s) => (float[3, 8] y) {
            z = Concat <axis = -1> (r, s)  y = Add(x, z)
        }"""
    )
    assert rewritten(model, lower_to_kernel_calls, read_tiled_residuals)[-1] == "FusedRows(x; residual0=z) -> y"


def test_mean_of_neighbours_is_pooled_before_it_is_stored() -> None:
    model = parse(
        """g (float[3, 64] x) => (float[3, 16] y, uint8[3, 8] p) {
            n = Mul(x, s)  p = edgebin.SignPack(n, t)
            g4 = Reshape(n, shape)  y = ReduceMean <keepdims = 0> (g4, axes)
        }""",
        {"s": vector(64), "t": vector(64), "shape": np.array([3, 16, 4], np.int64), "axes": np.array([-1], np.int64)},
    )
    lines = rewritten(model, lower_to_kernel_calls, fuse_epilogues, pool_outputs)
    assert lines == ["FusedRows(x; scale, threshold0; pool 4) -> y, p"]


def test_stencil_adds_its_skip() -> None:
    model = parse(
        """g (float[1, 6, 4] x, float[1, 6, 4] r) => (float[1, 6, 4] y) {
            i = Reshape(x, image)  s = edgebin.PlusStencil <circular = 0> (i, taps, bias)
            t = Reshape(s, tokens)  y = Add(r, t)
        }""",
        {
            "taps": matrix(9, 4), "bias": vector(4),
            "image": np.array([1, 2, 3, 4], np.int64), "tokens": np.array([1, 6, 4], np.int64),
        },
    )  # fmt: skip
    values = {value.name: value for node in model.graph for value in node.outputs}
    values["s"].shape, values["s"].type = values["i"].shape, values["i"].type
    values["t"].shape, values["t"].type = model.graph.inputs[0].shape, model.graph.inputs[0].type
    rewritten(model, lower_to_kernel_calls, add_in_stencils)
    assert [node.op_type for node in model.graph] == ["Reshape", "Reshape", "FusedStencil", "Reshape"]


def test_nested_sum_is_added_term_by_term() -> None:
    model = parse(
        """g (int32[3, 4] c, float[3, 4] q, float[3, 4] k, float[3, 4] v) => (float[3, 4] y) {
            a = Add(q, k)  b = Add(a, v)  f = Cast <to = 1> (c)  y = Add(f, b)
        }"""
    )
    lines = rewritten(model, lower_to_kernel_calls, fuse_epilogues, flatten_sums)
    assert len(lines) == 1
    assert lines[0].startswith("FusedRows(c; residual0=")
    assert all(f"={name}" in lines[0] for name in "qkv")


def test_constant_gather_is_a_slice() -> None:
    for index in (0, -1):
        model = parse(
            "g (float[2, 5, 4] x) => (float[2, 4] y) { y = Gather <axis = 1> (x, i) }", {"i": np.array(index, np.int64)}
        )
        before = run(model)
        slice_constant_gathers(model)
        assert [node.op_type for node in model.graph] == ["Slice", "Reshape"]
        np.testing.assert_array_equal(run(model)[0], before[0])


def test_regrouped_rows_are_no_obstacle_to_fusion() -> None:
    model = parse(
        """g (float[2, 3, 4] x, float[6, 4] r) => (float[2, 3, 4] y) {
            h = MatMul(x, w)  f = Reshape(h, rows)  s = Add(f, r)  y = Reshape(s, back)
        }""",
        {"w": matrix(4, 4), "rows": np.array([6, 4], np.int64), "back": np.array([2, 3, 4], np.int64)},
    )
    lower_linear(model)
    lines = rewritten(model, lower_to_kernel_calls, bypass_reshapes, fuse_epilogues)
    assert [line for line in lines if line.startswith("Fused")] == ["FusedLinear(x; residual0=r) -> s"]


def test_reshape_of_the_columns_stays() -> None:
    model = parse(
        "g (float[2, 4] x) => (float[4, 2] y) { h = Mul(x, s)  f = Reshape(h, shape)  y = Mul(f, t) }",
        {"s": vector(4), "t": vector(2), "shape": np.array([4, 2], np.int64)},
    )
    rewritten(model, lower_to_kernel_calls, bypass_reshapes, fuse_epilogues)
    assert [node.op_type for node in model.graph] == ["FusedRows", "Reshape", "FusedRows"]


def test_ternary_layer_packs_both_planes_in_one_call() -> None:
    model = parse(
        """g (int32[3, 64] c) => (float[3, 5] y) {
            f = Cast <to = 1> (c)  n = edgebin.SignPack(f, zero)  p = edgebin.SignPack(f, half)
            y = edgebin.TernaryLinear <k = 64> (n, p, w, scale, bias)
        }""",
        {
            "zero": np.zeros(64, np.float32), "half": np.full(64, 0.5, np.float32),
            "w": RANDOM.integers(0, 256, (5, 8), dtype=np.uint8), "scale": vector(5), "bias": vector(5),
        },
    )  # fmt: skip
    for node in model.graph:
        if node.op_type == "SignPack":
            node.outputs[0].type = ir.TensorType(ir.DataType.UINT8)
            node.outputs[0].shape = ir.Shape([3, 8])
    lines = rewritten(model, lower_to_kernel_calls, fuse_epilogues)
    assert lines == ["FusedRows(c; threshold0, threshold1) -> n, p", "FusedTernaryLinear(n, p; scale, bias) -> y"]


def test_bits_of_one_tensor_are_packed_in_one_call() -> None:
    model = parse(
        """g (float[3, 64] x) => (uint8[3, 8] p, uint8[3, 8] q) {
            p = edgebin.SignPack(x, t)  q = edgebin.SignPack(x, u)
        }""",
        {name: vector(64) for name in ("t", "u")},
    )
    assert rewritten(model, lower_to_kernel_calls, fuse_epilogues) == ["FusedRows(x; threshold0, threshold1) -> p, q"]


def test_norm_that_only_a_threshold_reads_stores_bits_alone() -> None:
    model = parse(
        """g (float[2, 3, 64] x) => (uint8[2, 3, 8] p) {
            h = LayerNormalization <epsilon = 0.001> (x, gain, bias)  p = edgebin.SignPack(h, t)
        }""",
        {name: vector(64) for name in ("gain", "bias", "t")},
    )
    model.graph[0].outputs[0].shape = model.graph.inputs[0].shape
    lower_to_kernel_calls(model)
    before = run(model)
    lower_layer_norm(model)
    fuse_epilogues(model)
    assert printed(model) == ["FusedLayerNorm(x; scale, bias, threshold0) -> p"]
    np.testing.assert_array_equal(run(model)[0], before[0])


def test_norm_keeps_its_epsilon_when_stages_join_it() -> None:
    model = parse(
        """g (float[3, 64] x, float[3, 64] r) => (float[3, 64] y) {
            h = LayerNormalization <axis = 1, epsilon = 0.5> (x, gain)  y = Add(r, h)
        }""",
        {"gain": vector(64)},
    )
    lines = rewritten(model, lower_layer_norm, lower_to_kernel_calls, fuse_epilogues)
    assert lines == ["FusedLayerNorm(x; scale, residual0=r) -> y"]
    assert model.graph[0].attributes["epsilon"].as_float() == 0.5


def test_norm_over_several_axes_or_with_read_statistics_is_left_alone() -> None:
    for text in (
        "g (float[3, 4] x) => (float[3, 4] y) { y = LayerNormalization <axis = 0> (x, gain) }",
        "g (float[3, 4] x) => (float[3, 4] y, float[3, 1] m) { y, m = LayerNormalization <axis = -1> (x, gain) }",
    ):
        model = parse(text, {"gain": matrix(3, 4) if "axis = 0" in text else vector(4)})
        lower_layer_norm(model)
        assert [node.op_type for node in model.graph] == ["LayerNormalization"]


def test_gelu_is_expanded_exactly() -> None:
    model = parse("g (float[3, 64] x) => (float[3, 64] y) { y = Gelu (x) }")
    before = run(model)
    expand_gelu(model)
    assert [node.op_type for node in model.graph] == ["Mul", "Erf", "Mul", "Add", "Mul"]
    np.testing.assert_allclose(run(model)[0], before[0], rtol=1e-6, atol=1e-7)


def test_approximated_gelu_is_left_alone() -> None:
    model = parse('g (float[3, 64] x) => (float[3, 64] y) { y = Gelu <approximate = "tanh"> (x) }')
    expand_gelu(model)
    assert [node.op_type for node in model.graph] == ["Gelu"]
