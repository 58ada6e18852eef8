"""The torch ops against plain loops over single values, exactly."""

import math

import numpy as np
import pytest
import torch

from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn import ops
from edgebin.nn.packing import pack_bits, unpack_signs

WIDTHS = [1, 16, 24, 63, 64, 65, 384]


def signs_of(bits: torch.Tensor, k: int) -> np.ndarray:
    """±1 of the first k bits, by the definition of the convention."""
    flat = bits.numpy().reshape(-1, bits.shape[-1])
    values = [[-1 if row[i // 8] >> (i % 8) & 1 else 1 for i in range(k)] for row in flat]
    return np.array(values, np.int64).reshape(*bits.shape[:-1], k)


def random_bits(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return pack_bits(torch.rand(shape, generator=generator) < 0.5)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.mark.parametrize("k", WIDTHS)
def test_one_negative_value_sets_one_bit(k: int) -> None:
    packed = pack_bits(torch.eye(k, dtype=torch.bool))
    expected = np.zeros((k, bit_row_bytes(k)), np.uint8)
    for i in range(k):
        expected[i, i // 8] = 1 << (i % 8)
    assert np.array_equal(packed.numpy(), expected)


@pytest.mark.parametrize("k", WIDTHS)
def test_unpacking_returns_what_was_packed_and_ones_behind_it(k: int, generator: torch.Generator) -> None:
    negative = torch.rand((3, k), generator=generator) < 0.5
    signs = unpack_signs(pack_bits(negative))
    assert torch.equal(signs[:, :k] < 0, negative)
    assert (signs[:, k:] == 1).all()


def test_zeros_and_nan_are_positive() -> None:
    bits = ops.sign_pack(torch.tensor([[0.0, -0.0, math.nan, -1e-45, 1.0]]), torch.zeros(5))
    assert bits[0, 0] == 0b01000


@pytest.mark.parametrize("k", WIDTHS)
def test_binary_linear_is_the_integer_sum_scaled_with_one_rounding(k: int, generator: torch.Generator) -> None:
    bits, weight = random_bits(generator, 2, 5, k), random_bits(generator, 7, k)
    scale, bias = torch.randn(7, generator=generator), torch.randn(7, generator=generator)
    accumulator = signs_of(bits, k) @ signs_of(weight, k).T
    expected = (accumulator * scale.double().numpy() + bias.double().numpy()).astype(np.float32)
    assert np.array_equal(ops.binary_linear(bits, weight, scale, bias, k).numpy(), expected)


@pytest.mark.parametrize(
    ("heads", "head_dim", "queries", "keys", "maps"), [(2, 8, 1, 5, 1), (3, 32, 5, 49, 3), (1, 24, 5, 1, 2)]
)
def test_binary_attention_follows_its_definition(
    heads: int, head_dim: int, queries: int, keys: int, maps: int, generator: torch.Generator
) -> None:
    channels = heads * head_dim
    q, k, v = (random_bits(generator, 2, tokens, channels) for tokens in (queries, keys, keys))
    exp_table = torch.randint(0, 1 << 40, (head_dim + 1,), generator=generator).sort().values
    limit = torch.randint(0, keys << 40, (maps, heads, head_dim + 1), generator=generator).sort().values
    expected = np.zeros((2, queries, channels), np.int64)
    for image, i, head in np.ndindex(2, queries, heads):
        columns = slice(head * head_dim, (head + 1) * head_dim)
        q_row, k_rows, v_rows = (signs_of(x[image], channels)[:, columns] for x in (q, k, v))
        agree = (q_row[i] == k_rows).sum(1)
        z = int(exp_table.numpy()[agree].sum())
        for s, j in np.ndindex(maps, keys):
            if z < int(limit[s, head, agree[j]]):
                expected[image, i, columns] += v_rows[j]
    context = ops.binary_attention(q, k, v, exp_table, limit, heads, head_dim)
    assert context.dtype == torch.int32
    assert np.array_equal(context.numpy(), expected)
    assert np.abs(expected).max() > 0


def test_rprelu_with_slopes_of_either_sign() -> None:
    x = torch.tensor([[-2.0, 3.0], [4.0, -5.0]])
    y = ops.rprelu(x, torch.tensor([1.0, 0.5]), torch.tensor([0.25, -2.0]), torch.tensor([10.0, 20.0]))
    assert y.tolist() == [[9.25, 22.5], [13.0, 31.0]]


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (3, 2), (7, 6)])
def test_plus_stencil_follows_its_definition(circular: bool, size: tuple[int, int], generator: torch.Generator) -> None:
    height, width = size
    x = torch.randn((2, height, width, 3), generator=generator)
    taps, bias = torch.randn((9, 3), generator=generator), torch.randn(3, generator=generator)
    expected = np.zeros(x.shape, np.float32)
    for image, h, w, c in np.ndindex(*x.shape):
        value = bias.numpy()[c]
        for t, (dh, dw) in enumerate(ops.STENCIL_OFFSETS):
            row, column = h + dh, w + dw
            if circular:
                row, column = row % height, column % width
            if 0 <= row < height and 0 <= column < width:
                product = np.float64(x.numpy()[image, row, column, c]) * taps.numpy()[t, c]
                value = np.float32(product + value)
        expected[image, h, w, c] = value
    assert np.array_equal(ops.plus_stencil(x, taps, bias, circular).numpy(), expected)


def test_ops_are_what_torch_expects_of_custom_ops(generator: torch.Generator) -> None:
    """Schema, fake kernels with dynamic shapes, no aliasing."""
    vector = torch.randn(65, generator=generator)
    bits = random_bits(generator, 2, 5, 65)
    table = torch.arange(9)
    attention = random_bits(generator, 2, 5, 16)
    for op, arguments in {
        ops.sign_pack: (torch.randn((2, 5, 65), generator=generator), vector),
        ops.binary_linear: (bits, bits[0], vector[:5].clone(), vector[:5].clone(), 65),
        ops.binary_attention: (attention, attention, attention, table, table.expand(1, 2, 9).clone(), 2, 8),
        ops.rprelu: (torch.randn((2, 5, 65), generator=generator), vector, vector, vector),
        ops.plus_stencil: (torch.randn((1, 4, 5, 65), generator=generator), vector.expand(9, 65).clone(), vector, True),
    }.items():
        torch.library.opcheck(op._opoverload, arguments)


def test_floats_may_be_double() -> None:
    x = torch.full((1, 65), 1.0, dtype=torch.float64)
    y = ops.rprelu(x, x[0] / 3, x[0], x[0])
    assert y.dtype == torch.float64
    assert y[0, 0] == 1 - 1 / 3 + 1
