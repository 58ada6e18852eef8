"""Bits: numpy's and C's ideas of them, and of packed weights, are one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebin.kernels.layout import pack_b1_weights, pack_conv_weights, pack_f32_weights, pack_w1_weights
from edgebin.kernels.packing import bit_row_bytes, pack_bits, unpack_bits
from edgebin.kernels.variants import Variant, find_variant, variants
from tests.kernels.abi import Kernels


@pytest.mark.parametrize(("k", "bytes_"), [(1, 8), (63, 8), (64, 8), (65, 16), (384, 48)])
def test_rows_are_whole_words(k: int, bytes_: int) -> None:
    assert bit_row_bytes(k) == bytes_
    assert pack_bits(np.zeros((3, k))).shape == (3, bytes_)


def test_only_numbers_below_zero_are_ones() -> None:
    packed = pack_bits(np.array([-1.0, 0.0, -0.0, np.nan, -np.inf, np.inf, -1e-45], np.float32))
    assert packed.tolist() == [0b1010001, 0, 0, 0, 0, 0, 0, 0]


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_unpacking_returns_what_was_packed(k: int, seed: int) -> None:
    negative = np.random.default_rng(seed).random((2, 3, k)) < 0.5
    packed = pack_bits(negative)
    assert np.array_equal(unpack_bits(packed, k), negative)
    assert np.unpackbits(packed).sum() == negative.sum(), "padding bits are 0"


@pytest.mark.parametrize("k", [1, 8, 31, 64, 65, 130, 257])
def test_one_negative_input_pops_up_where_python_says(kernels: Kernels, k: int) -> None:
    one_hot = np.where(np.eye(k, dtype=bool), np.float32(-1), np.float32(1))
    out, [bits] = kernels.rows(one_hot, out=False, threshold=[np.zeros(k, np.float32)])()
    assert out is None
    assert np.array_equal(bits, pack_bits(one_hot))


def test_zeros_of_both_signs_and_nan_are_positive(kernels: Kernels) -> None:
    x = np.tile(np.array([0.0, -0.0, np.nan, -1.0], np.float32), (1, 20))
    _, [bits] = kernels.rows(x, out=False, threshold=[np.zeros(80, np.float32)])()
    assert np.array_equal(bits, pack_bits(x))


@pytest.mark.parametrize("k", [5, 64, 70, 130])
@pytest.mark.parametrize("n", [1, 33, 65])
def test_one_negative_weight_meets_the_input_of_its_place(kernels: Kernels, n: int, k: int) -> None:
    """Weight bit (j, p) alone is set; input row r is negative at r alone: they cancel where r = p, in column j."""
    variant = find_variant("b1_gemm", kernels.path)
    inputs = pack_bits(np.eye(k, dtype=bool))
    for j, p in [(0, 0), (n - 1, k - 1), (n // 2, k // 2)]:
        weight = np.zeros((n, k), bool)
        weight[j, p] = True
        out, _ = kernels.b1_gemm(inputs, pack_b1_weights(pack_bits(weight), variant), k, n)()
        expected = np.full((k, n), k - 2, np.float32)
        expected[:, j] = k - 4
        expected[p, j] = k
        assert out is not None
        assert np.array_equal(out, expected)


@pytest.mark.parametrize("variant", [v for v in variants() if v.op == "b1_gemm"], ids=lambda v: v.path)
def test_binary_panels_have_the_listed_shape(variant: Variant) -> None:
    packed = pack_b1_weights(np.zeros((65, bit_row_bytes(70)), np.uint8), variant)
    word_bytes = max(variant.word_bits // 8, 1)
    assert packed.shape == (-(-65 // variant.nr), -(-128 // variant.word_bits), variant.nr, word_bytes)
    assert packed.flags.c_contiguous


@pytest.mark.parametrize("variant", [v for v in variants() if v.op == "b1_gemm"], ids=lambda v: v.path)
def test_words_of_binary_panels_hold_the_next_bits_of_a_channel(variant: Variant) -> None:
    """Also words that do not divide a row: the last one ends in zeros."""
    bits = np.random.default_rng(0).random((65, 128)) < 0.5
    packed = pack_b1_weights(pack_bits(bits), variant)
    words = np.unpackbits(packed, axis=3, bitorder="little")[..., : variant.word_bits]  # [panel, word, channel, bit]
    channels = words.transpose(0, 2, 1, 3).reshape(-1, words.shape[1] * variant.word_bits)
    assert np.array_equal(channels[:65, :128], bits)
    assert not channels[65:].any()
    assert not channels[:, 128:].any()


def test_float_panels_give_the_plain_product(kernels: Kernels) -> None:
    a = np.arange(3 * 5, dtype=np.float32).reshape(3, 5)
    w = np.arange(35 * 5, dtype=np.float32).reshape(35, 5)
    out, _ = kernels.f32_gemm(a, pack_f32_weights(w, find_variant("f32_gemm", kernels.path)), 35)()
    assert out is not None
    assert np.array_equal(out, a @ w.T)


@pytest.mark.parametrize("k", [1, 65])
@pytest.mark.parametrize("n", [1, 33, 65])
def test_sign_panels_give_the_plain_product(kernels: Kernels, n: int, k: int) -> None:
    random = np.random.default_rng(1)
    a, negative = random.integers(-9, 10, (3, k)).astype(np.float32), random.random((n, k)) < 0.5
    packed = pack_w1_weights(pack_bits(negative), k, find_variant("w1_gemm", kernels.path))
    out, _ = kernels.w1_gemm(a, packed, n)()
    assert out is not None
    assert np.array_equal(out, a @ np.where(negative, -1, 1).T)


@pytest.mark.parametrize("k", [1, 65])
@pytest.mark.parametrize("n", [1, 33, 65])
def test_sign_panels_give_the_plain_product_of_bytes(kernels: Kernels, n: int, k: int) -> None:
    random = np.random.default_rng(1)
    a, negative = random.integers(-128, 128, (3, k), np.int8), random.random((n, k)) < 0.5
    packed = pack_b1_weights(pack_bits(negative), find_variant("w1i8_gemm", kernels.path))
    out, _ = kernels.w1i8_gemm(a, packed, n)()
    assert out is not None
    assert np.array_equal(out, a.astype(np.int64) @ np.where(negative, -1, 1).T)


@pytest.mark.parametrize(("channels", "outputs"), [(16, 16), (32, 32), (3, 5), (72, 65)])
def test_every_group_of_a_convolution_meets_its_own_weights(kernels: Kernels, channels: int, outputs: int) -> None:
    """Weight bits are set for group g's channel 0 of the middle tap alone, in output 0; inputs are all positive."""
    groups, taps = 3, 9
    weight = np.zeros((groups * outputs, taps, channels), bool)
    weight[::outputs, 4, 0] = True
    packed = pack_conv_weights(
        pack_bits(weight.reshape(len(weight), -1)), groups, find_variant("b1_conv", kernels.path)
    )
    bits = pack_bits(np.zeros((5, 5, groups * channels), bool))
    out, _ = kernels.b1_conv(bits, packed, groups * channels, groups * outputs, 3, 2, groups)()
    assert out is not None
    in_reach = np.array([2, 2, 3, 2, 2])  # taps of 5 pixels in a row, dilation 2
    expected = np.repeat((np.multiply.outer(in_reach, in_reach) * channels).reshape(-1, 1), groups * outputs, axis=1)
    expected[:, ::outputs] -= 2
    assert np.array_equal(out, expected)
