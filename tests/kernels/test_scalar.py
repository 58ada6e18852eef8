"""`scalar`, to which all paths are held, is held to a numpy model of the header."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgebin.kernels.layout import pack_b1_weights, pack_conv_weights, pack_f32_weights, pack_w1_weights
from edgebin.kernels.packing import pack_bits
from edgebin.kernels.variants import find_variant
from tests.kernels import header_model
from tests.kernels.abi import Kernels

EVERY_STAGE = ("scale", "bias", "residual", "slope", "offset", "gain", "skip", "threshold")
STAGES = [(), *((name,) for name in EVERY_STAGE), EVERY_STAGE, (*EVERY_STAGE, "pool")]


def floats(random: np.random.Generator, *shape: int) -> Any:
    return random.standard_normal(shape, np.float32)


def some_stages(random: np.random.Generator, m: int, n: int, names: tuple[str, ...]) -> dict[str, Any]:
    stages: dict[str, Any] = {name: floats(random, n) for name in names if name in ("scale", "bias", "slope", "offset")}
    if "residual" in names:
        stages["residual"] = [floats(random, m, n), floats(random, m, n // 2), floats(random, m, n // 4)]
    if "gain" in names:
        stages |= {"gain": floats(random, n), "shift": floats(random, n)}
    if "skip" in names:
        stages["skip"] = floats(random, m, n)
    if "threshold" in names:
        stages["threshold"] = [floats(random, n) for _ in range(3)]
    if "pool" in names:
        stages["pool"] = 4
    return stages


def assert_equal(result: Any, expected: Any) -> None:
    out, planes = result
    assert np.array_equal(out, expected[0])
    assert len(planes) == len(expected[1])
    for plane, expected_plane in zip(planes, expected[1], strict=True):
        assert np.array_equal(plane, expected_plane)


@pytest.mark.parametrize("names", STAGES, ids="+".join)
def test_rows(scalar: Kernels, names: tuple[str, ...]) -> None:
    random = np.random.default_rng(1)
    stages = some_stages(random, 5, 68, names)
    x = floats(random, 5, 68)
    assert_equal(scalar.rows(x, **stages)(), header_model.epilogue(x, stages))
    integers = random.integers(-400, 400, (5, 68), np.int32)
    assert_equal(scalar.rows(integers, **stages)(), header_model.epilogue(integers.astype(np.float32), stages))


@pytest.mark.parametrize("n", [4, 16, 68, 384])
@pytest.mark.parametrize("names", [(), EVERY_STAGE, (*EVERY_STAGE, "pool")], ids="+".join)
def test_layernorm(scalar: Kernels, n: int, names: tuple[str, ...]) -> None:
    random = np.random.default_rng(13)
    x, stages = floats(random, 5, n) * 3 + 2, some_stages(random, 5, n, names)
    expected = header_model.epilogue(header_model.normalised(x, 1e-6), stages)
    assert_equal(scalar.layernorm(x, 1e-6, **stages)(), expected)


@pytest.mark.parametrize("offset", [0, 100])
def test_layernorm_is_as_exact_as_two_passes_can_be(scalar: Kernels, offset: float) -> None:
    x = floats(np.random.default_rng(14), 7, 384) + np.float32(offset)
    wide = x.astype(np.float64)
    expected = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(scalar.layernorm(x, 1e-5)()[0], expected, rtol=0, atol=1e-6 * max(1, offset))


@pytest.mark.parametrize("pool", [2, 4, 8])
def test_pool(scalar: Kernels, pool: int) -> None:
    x = floats(np.random.default_rng(2), 3, 72)
    assert_equal(scalar.rows(x, pool=pool)(), header_model.epilogue(x, {"pool": pool}))


@pytest.mark.parametrize("k", [1, 63, 64, 70, 384])
@pytest.mark.parametrize("names", [(), EVERY_STAGE], ids="+".join)
def test_b1_gemm(scalar: Kernels, k: int, names: tuple[str, ...]) -> None:
    random = np.random.default_rng(3)
    m, n = 4, 20
    a, w = random.random((m, k)) < 0.5, random.random((n, k)) < 0.5
    stages = some_stages(random, m, n, names)
    packed = pack_b1_weights(pack_bits(w), find_variant("b1_gemm", "scalar"))
    product = np.where(a, -1, 1) @ np.where(w, -1, 1).T
    expected = header_model.epilogue(product.astype(np.float32), stages)
    assert_equal(scalar.b1_gemm(pack_bits(a), packed, k, n, **stages)(), expected)


@pytest.mark.parametrize("k", [1, 63, 70, 384])
def test_two_planes_make_a_ternary_product(scalar: Kernels, k: int) -> None:
    random = np.random.default_rng(8)
    x, w = random.integers(-1, 2, (4, k)), random.random((20, k)) < 0.5
    packed = pack_b1_weights(pack_bits(w), find_variant("b1_gemm", "scalar"))
    expected = header_model.epilogue((x @ np.where(w, -1, 1).T).astype(np.float32), {})
    assert_equal(scalar.b1_gemm(pack_bits(x < 0), packed, k, 20, a2=pack_bits(x <= 0))(), expected)


@pytest.mark.parametrize("k", [1, 7, 70])
@pytest.mark.parametrize("names", [(), EVERY_STAGE], ids="+".join)
def test_w1_gemm(scalar: Kernels, k: int, names: tuple[str, ...]) -> None:
    random = np.random.default_rng(9)
    m, n = 3, 20
    a, w = floats(random, m, k), random.random((n, k)) < 0.5
    stages = some_stages(random, m, n, names)
    packed = pack_w1_weights(pack_bits(w), k, find_variant("w1_gemm", "scalar"))
    assert_equal(
        scalar.w1_gemm(a, packed, n, **stages)(), header_model.epilogue(header_model.signed_product(a, w), stages)
    )


@pytest.mark.parametrize("k", [1, 7, 70, 384])
@pytest.mark.parametrize("names", [(), EVERY_STAGE], ids="+".join)
def test_w1i8_gemm(scalar: Kernels, k: int, names: tuple[str, ...]) -> None:
    random = np.random.default_rng(15)
    m, n = 3, 20
    a, w = random.integers(-128, 128, (m, k), np.int8), random.random((n, k)) < 0.5
    stages = some_stages(random, m, n, names)
    packed = pack_b1_weights(pack_bits(w), find_variant("w1i8_gemm", "scalar"))
    product = (a.astype(np.int64) @ np.where(w, -1, 1).T).astype(np.float32)
    assert_equal(scalar.w1i8_gemm(a, packed, n, **stages)(), header_model.epilogue(product, stages))
    row_scale = floats(random, m)
    expected = header_model.epilogue(product * row_scale[:, None], stages)
    assert_equal(scalar.w1i8_gemm(a, packed, n, row_scale, **stages)(), expected)


@pytest.mark.parametrize("n", [1, 16, 70])
def test_quantize(scalar: Kernels, n: int) -> None:
    x = floats(np.random.default_rng(16), 9, n) * 5
    q, [scale] = scalar.quantize(x)()
    expected, expected_scale = header_model.quantised(x)
    assert np.array_equal(q, expected)
    assert np.array_equal(scale, expected_scale)


def test_quantize_takes_ties_to_even_and_tiny_rows_to_zero(scalar: Kernels) -> None:
    x = np.array([[127, 0.5, 1.5, -0.5, -2.5, -127], [0, 1e-40, -1e-40, 0, 0, 0]], np.float32)
    q, [scale] = scalar.quantize(x)()
    assert q is not None
    assert q.tolist() == [[127, 0, 2, 0, -2, -127], [0, 0, 0, 0, 0, 0]]
    assert scale.tolist() == [1, 0]


def test_bytes_and_signs_stand_for_floats_and_signs(scalar: Kernels) -> None:
    """One product in bytes: each of its k terms is off by half a step at most."""
    random = np.random.default_rng(17)
    x, w = floats(random, 4, 384), random.random((20, 384)) < 0.5
    q, [scale] = scalar.quantize(x)()
    assert q is not None
    out, _ = scalar.w1i8_gemm(q, pack_b1_weights(pack_bits(w), find_variant("w1i8_gemm", "scalar")), 20, scale)()
    exact = x.astype(np.float64) @ np.where(w, -1, 1).T
    assert np.all(np.abs(out - exact) <= 384 * scale[:, None] * 0.501)


@pytest.mark.parametrize(
    ("c", "n", "kernel", "dilation", "groups"),
    [(64, 64, 3, 1, 4), (64, 64, 3, 5, 4), (128, 64, 3, 3, 4), (20, 8, 3, 2, 4), (6, 4, 5, 1, 2), (70, 20, 1, 1, 1)],
)
def test_b1_conv(scalar: Kernels, c: int, n: int, kernel: int, dilation: int, groups: int) -> None:
    random = np.random.default_rng(10)
    height, width = 5, 7
    x, w = random.random((height, width, c)) < 0.5, random.random((n, kernel, kernel, c // groups)) < 0.5
    stages = some_stages(random, height * width, n, EVERY_STAGE)
    packed = pack_conv_weights(pack_bits(w.reshape(n, -1)), groups, find_variant("b1_conv", "scalar"))
    signs = [np.where(negative, np.float32(-1), np.float32(1)) for negative in (x, w)]
    acc = header_model.convolution(*signs, dilation, groups).reshape(-1, n)
    expected = header_model.epilogue(acc, stages)
    assert_equal(scalar.b1_conv(pack_bits(x), packed, c, n, kernel, dilation, groups, **stages)(), expected)


@pytest.mark.parametrize("k", [1, 7, 40])
def test_f32_gemm(scalar: Kernels, k: int) -> None:
    random = np.random.default_rng(4)
    m, n = 3, 20
    a, w = floats(random, m, k), floats(random, n, k)
    stages = some_stages(random, m, n, EVERY_STAGE)
    acc = np.zeros((m, n), np.float32)
    for p in range(k):
        acc = header_model.fma(a[:, p : p + 1], w[:, p], acc)
    packed = pack_f32_weights(w, find_variant("f32_gemm", "scalar"))
    assert_equal(scalar.f32_gemm(a, packed, n, **stages)(), header_model.epilogue(acc, stages))


@pytest.mark.parametrize(
    ("heads", "head_dim", "nq", "nkv", "maps"), [(2, 64, 50, 50, 1), (3, 32, 7, 49, 3), (1, 248, 5, 3, 2)]
)
def test_b1_attention(scalar: Kernels, heads: int, head_dim: int, nq: int, nkv: int, maps: int) -> None:
    random = np.random.default_rng(5)
    q, k, v = (random.random((tokens, heads * head_dim)) < 0.5 for tokens in (nq, nkv, nkv))
    exp_table = np.rint(np.exp((np.arange(head_dim + 1) - head_dim) / 8) * 2**20).astype(np.int64)
    limit = np.sort(random.integers(0, exp_table.max() * 2, (maps, heads, head_dim + 1)), axis=2)
    expected = header_model.attention(q, k, v, exp_table, limit)
    assert np.array_equal(
        scalar.b1_attention(pack_bits(q), pack_bits(k), pack_bits(v), exp_table, limit)()[0], expected
    )


SHAPES = [(2, 64, 50, 50), (3, 32, 7, 49), (1, 248, 5, 3)]


@pytest.mark.parametrize("drop", [0, 3, 1000])
@pytest.mark.parametrize(("heads", "head_dim", "nq", "nkv"), SHAPES)
def test_b1_relative_attention(scalar: Kernels, heads: int, head_dim: int, nq: int, nkv: int, drop: int) -> None:
    random = np.random.default_rng(11)
    q, k, v = (random.random((tokens, heads * head_dim)) < 0.5 for tokens in (nq, nkv, nkv))
    context, _ = scalar.b1_relative_attention(pack_bits(q), pack_bits(k), pack_bits(v), heads, head_dim, drop)()
    assert np.array_equal(context, header_model.relative_attention(q, k, v, heads, drop))


@pytest.mark.parametrize("margin", [0.0, 1.5])
@pytest.mark.parametrize(("heads", "head_dim", "nq", "nkv"), SHAPES)
def test_b1_biased_attention(scalar: Kernels, heads: int, head_dim: int, nq: int, nkv: int, margin: float) -> None:
    random = np.random.default_rng(12)
    q, k, v = (random.random((tokens, heads * head_dim)) < 0.5 for tokens in (nq, nkv, nkv))
    bias, packed = floats(random, heads, nq, nkv), [pack_bits(x) for x in (q, k, v)]
    context, _ = scalar.b1_biased_attention(*packed, head_dim, bias, 0.18, margin)()
    assert np.array_equal(context, header_model.biased_attention(q, k, v, bias, 0.18, margin))


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize(("h", "w"), [(1, 1), (2, 3), (7, 7)])
def test_f32_stencil(scalar: Kernels, h: int, w: int, circular: bool) -> None:
    random = np.random.default_rng(6)
    x, taps, bias = floats(random, h, w, 10), floats(random, 9, 10), floats(random, 10)
    for skip in (None, floats(random, h, w, 10)):
        expected = header_model.stencil(x, taps, bias, skip, circular=circular)
        assert np.array_equal(scalar.f32_stencil(x, taps, bias, skip, circular=circular)()[0], expected)
