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


def attend(maps: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Context of one image: maps [heads, queries, keys], v ±1 [keys, heads · d] → [queries, heads · d]."""
    heads = maps.shape[0]
    columns = [maps[h].astype(np.int64) @ part for h, part in enumerate(np.split(v, heads, axis=1))]
    return np.concatenate(columns, axis=1)


def scores_of(q: np.ndarray, k: np.ndarray, heads: int) -> np.ndarray:
    """Whole-number scores of one image: [heads, queries, keys]."""
    pairs = zip(np.split(q, heads, axis=1), np.split(k, heads, axis=1), strict=True)
    return np.stack([a @ b.T for a, b in pairs])


@pytest.mark.parametrize(("heads", "head_dim", "queries", "keys", "drop"), [(3, 32, 5, 49, 3), (1, 24, 5, 1, 0)])
def test_relative_attention_keeps_what_is_within_drop_of_the_largest(
    heads: int, head_dim: int, queries: int, keys: int, drop: int, generator: torch.Generator
) -> None:
    channels = heads * head_dim
    q, k, v = (random_bits(generator, 2, tokens, channels) for tokens in (queries, keys, keys))
    context = ops.relative_attention(q, k, v, heads, head_dim, drop)
    for image in range(2):
        q_signs, k_signs, v_signs = (signs_of(x[image], channels) for x in (q, k, v))
        agree = (scores_of(q_signs, k_signs, heads) + head_dim) // 2
        maps = agree + drop >= agree.max(-1, keepdims=True)
        assert np.array_equal(context[image].numpy(), attend(maps, v_signs))


def test_relative_attention_keeps_all_that_tie_for_the_largest() -> None:
    q = torch.tensor([[[0b0000_0000]]], dtype=torch.uint8)
    k = torch.tensor([[[0b0000_0011], [0b1100_0000], [0b0000_0111]]], dtype=torch.uint8)  # 6, 6 and 5 agree
    v = torch.tensor([[[0b0000_0000], [0b0000_0001], [0b0000_0000]]], dtype=torch.uint8)
    q, k, v = (torch.nn.functional.pad(x, (0, 7)) for x in (q, k, v))
    assert ops.relative_attention(q, k, v, 1, 8, 0).tolist() == [[[0, 2, 2, 2, 2, 2, 2, 2]]]
    assert ops.relative_attention(q, k, v, 1, 8, 1).tolist() == [[[1, 3, 3, 3, 3, 3, 3, 3]]]


@pytest.mark.parametrize(("images", "groups"), [(1, 1), (3, 1), (1, 4), (2, 3)])
def test_biased_attention_gives_each_entry_of_the_batch_its_group_of_biases(
    images: int, groups: int, generator: torch.Generator
) -> None:
    heads, head_dim, queries, keys = 3, 32, 5, 7
    channels, batch = heads * head_dim, images * groups
    q, k, v = (random_bits(generator, batch, tokens, channels) for tokens in (queries, keys, keys))
    bias = torch.randn((groups, heads, queries, keys), generator=generator) * 2
    bias[0, :, :, 0] = -100  # as Swin's mask has it
    scale, margin = torch.tensor([head_dim**-0.5]), torch.tensor([math.log(4)])
    context = ops.biased_attention(q, k, v, bias, scale, margin, heads, head_dim)
    for entry in range(batch):
        q_signs, k_signs, v_signs = (signs_of(x[entry], channels) for x in (q, k, v))
        scores = scores_of(q_signs, k_signs, heads)
        exact = scores * scale.double().numpy() + bias[entry % groups].numpy()
        t = exact.astype(np.float32)
        maps = t >= t.max(-1, keepdims=True) - margin.numpy()
        assert np.array_equal(context[entry].numpy(), attend(maps, v_signs))
        assert groups == 1 or entry % groups or not maps[:, :, 0].any()


def test_biased_attention_keeps_what_is_exactly_the_margin_below_the_largest() -> None:
    q, k = torch.zeros(1, 1, 8, dtype=torch.uint8), torch.zeros(1, 3, 8, dtype=torch.uint8)
    v = torch.zeros(1, 3, 8, dtype=torch.uint8)
    bias = torch.tensor([0.0, -0.5, np.nextafter(np.float32(-0.5), np.float32(-1))]).reshape(1, 1, 1, 3)
    scale, margin = torch.tensor([0.0]), torch.tensor([0.5])
    assert set(ops.biased_attention(q, k, v, bias, scale, margin, 1, 8).flatten().tolist()) == {2}


@pytest.mark.parametrize("k", WIDTHS)
def test_ternary_linear_takes_the_sign_of_zero_for_zero(k: int, generator: torch.Generator) -> None:
    """Planes are made as a model makes them: whole numbers, thresholds 0 and one half."""
    x = torch.randint(-2, 3, (2, 5, k), generator=generator).float()
    x[0, 0] = 0
    x[0, 1] = -0.0
    negative, not_positive = (ops.sign_pack(x, torch.full((k,), threshold)) for threshold in (0.0, 0.5))
    weight = random_bits(generator, 7, k)
    scale, bias = torch.randn(7, generator=generator), torch.randn(7, generator=generator)
    accumulator = np.sign(x.numpy()).astype(np.int64) @ signs_of(weight, k).T
    expected = (accumulator * scale.double().numpy() + bias.double().numpy()).astype(np.float32)
    y = ops.ternary_linear(negative, not_positive, weight, scale, bias, k)
    assert np.array_equal(y.numpy(), expected)
    assert torch.equal(y[0, 0], bias)
    assert torch.equal(y[0, 1], bias)


@pytest.mark.parametrize("k", WIDTHS)
def test_signed_linear_adds_floats_with_signs(k: int, generator: torch.Generator) -> None:
    x = torch.randn((2, 5, k), generator=generator)
    weight = random_bits(generator, 7, k)
    scale, bias = torch.randn(7, generator=generator), torch.randn(7, generator=generator)
    terms = x.double().numpy()[:, :, None] * signs_of(weight, k)
    exact = [math.fsum(row) for row in terms.reshape(-1, k)]
    accumulator = np.array(exact).reshape(terms.shape[:-1])
    expected = (accumulator * scale.double().numpy() + bias.double().numpy()).astype(np.float32)
    assert np.array_equal(ops.signed_linear(x, weight, scale, bias, k).numpy(), expected)


@pytest.mark.parametrize(
    ("size", "channels", "outputs", "kernel", "dilation", "groups"),
    [((1, 1), 16, 8, 3, 1, 4), ((2, 5), 16, 8, 3, 5, 4), ((4, 3), 24, 6, 3, 2, 2), ((3, 4), 65, 2, 5, 1, 1)],
)
def test_binary_conv2d_adds_nothing_for_taps_outside(
    size: tuple[int, int],
    channels: int,
    outputs: int,
    kernel: int,
    dilation: int,
    groups: int,
    generator: torch.Generator,
) -> None:
    (height, width), group_in, group_out = size, channels // groups, outputs // groups
    k = kernel**2 * group_in
    bits, weight = random_bits(generator, 2, *size, channels), random_bits(generator, outputs, k)
    scale, bias = torch.randn(outputs, generator=generator), torch.randn(outputs, generator=generator)
    image = signs_of(bits, channels)
    taps = signs_of(weight, k).reshape(outputs, kernel, kernel, group_in)
    accumulator = np.zeros((2, *size, outputs), np.int64)
    for b, y, x, n, ky, kx in np.ndindex(*accumulator.shape, kernel, kernel):
        row, column = y + dilation * (ky - kernel // 2), x + dilation * (kx - kernel // 2)
        if 0 <= row < height and 0 <= column < width:
            first = n // group_out * group_in
            accumulator[b, y, x, n] += image[b, row, column, first : first + group_in] @ taps[n, ky, kx]
    expected = (accumulator * scale.double().numpy() + bias.double().numpy()).astype(np.float32)
    result = ops.binary_conv2d(bits, weight, scale, bias, kernel, dilation, groups, channels)
    assert np.array_equal(result.numpy(), expected)


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
    image, taps = random_bits(generator, 2, 3, 4, 16), random_bits(generator, 8, 36)
    biases = torch.randn((2, 2, 5, 5), generator=generator)
    for op, arguments in {
        ops.sign_pack: (torch.randn((2, 5, 65), generator=generator), vector),
        ops.binary_linear: (bits, bits[0], vector[:5].clone(), vector[:5].clone(), 65),
        ops.ternary_linear: (bits, bits.clone(), bits[0], vector[:5].clone(), vector[:5].clone(), 65),
        ops.signed_linear: (
            torch.randn((2, 5, 65), generator=generator),
            bits[0],
            vector[:5].clone(),
            vector[:5].clone(),
            65,
        ),
        ops.binary_conv2d: (image, taps, vector[:8].clone(), vector[:8].clone(), 3, 2, 4, 16),
        ops.relative_attention: (attention, attention, attention, 2, 8, 3),
        ops.biased_attention: (attention, attention, attention, biases, vector[:1].clone(), vector[:1].clone(), 2, 8),
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
