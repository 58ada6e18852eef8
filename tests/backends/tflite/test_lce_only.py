"""Concept ops as LCE and builtin ops alone, in LCE's own interpreter, against the ONNX bodies in onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from edgebin.backends.tflite.models import TfliteModel, build_lce_model
from edgebin.errors import UnsupportedOp
from edgebin.kernels.packing import pack_bits
from tests.backends.tflite.onnx_graphs import expected, graph_of, model_of, random_inputs
from tests.backends.tflite.runtimes import LCE_RUNTIMES, parameters, run_lce

# Of builtin float ops, on values of about 1 to 10.
TOLERANCE = {"rtol": 1e-6, "atol": 2e-6}

AWKWARD = [1, 31, 32, 33, 40, 64, 65, 96, 100, 128, 384]
lce_runtimes = pytest.mark.parametrize("run", parameters(LCE_RUNTIMES))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


def bits(random: np.random.Generator, rows: int, k: int) -> np.ndarray:
    return pack_bits(random.random((rows, k)) < 0.5)


def vectors(random: np.random.Generator, **lengths: int) -> dict[str, np.ndarray]:
    return {name: random.normal(size=length).astype(np.float32) for name, length in lengths.items()}


def layer(random: np.random.Generator, n: int, k: int) -> dict[str, np.ndarray]:
    """Weights w, scales s and biases c of a binary layer."""
    scale = (random.normal(size=n) / np.sqrt(k)).astype(np.float32)
    return {"w": bits(random, n, k), "s": scale, **vectors(random, c=n)}


def layer_rounding(k: int, layer: dict[str, np.ndarray]) -> float:
    """LCE adds popcount · (−2 scale) to bias + k · scale: an exact integer, but rounding at the size of k · scale."""
    return float(2.0**-23 * (k * np.abs(layer["s"]).max() + np.abs(layer["c"]).max()))


def check(text: str, constants: dict[str, np.ndarray], run, *, exact: bool = False, k: int = 0) -> TfliteModel:
    proto = model_of(text, constants)
    inputs = random_inputs(proto)
    inputs[0].flat[0] = 0.0
    written = build_lce_model(graph_of(proto), batch=inputs[0].shape[0])
    assert not {operator.kind for operator in written.operators if operator.kind.startswith("Edgebin")}
    for got, want in zip(run(written.content, inputs), expected(proto, inputs), strict=True):
        assert got.shape == want.shape
        if exact or want.dtype != np.float32:
            np.testing.assert_array_equal(got, want)
        else:
            tolerance = {"rtol": 0, "atol": layer_rounding(k, constants)} if k else TOLERANCE
            np.testing.assert_allclose(got, want, **tolerance)
    return written


@lce_runtimes
@pytest.mark.parametrize("k", AWKWARD)
@pytest.mark.parametrize("rows", ["7", "2,5", "2,3,2"])
def test_binary_linear(k: int, rows: str, run, random: np.random.Generator) -> None:
    n = 2 * k // 3 + 1
    text = (
        f"g (float[{rows},{k}] x) => (float[{rows},{n}] y) "
        f"{{ b = edgebin.SignPack(x, t) y = edgebin.BinaryLinear <k = {k}> (b, w, s, c) }}"
    )
    check(text, {**layer(random, n, k), **vectors(random, t=k)}, run, k=k)


@lce_runtimes
def test_integers_are_exact_where_nothing_scales_them(run, random: np.random.Generator) -> None:
    text = (
        "g (float[2,9,384] x) => (float[2,9,40] y) "
        "{ b = edgebin.SignPack(x, t) y = edgebin.BinaryLinear <k = 384> (b, w, s, c) }"
    )
    constants = {"t": np.zeros(384, np.float32), "s": np.ones(40, np.float32), "c": np.zeros(40, np.float32)}
    check(text, {"w": bits(random, 40, 384), **constants}, run, exact=True)


@lce_runtimes
@pytest.mark.parametrize(("k", "n"), [(64, 64), (100, 40), (33, 65), (384, 96)])
def test_bits_of_a_layer_of_which_only_bits_are_read(k: int, n: int, run, random: np.random.Generator) -> None:
    text = (
        f"g (float[1,9,{k}] x) => (float[1,9,5] y) "
        f"{{ b = edgebin.SignPack(x, t) h = edgebin.BinaryLinear <k = {k}> (b, w, s, c) "
        f"d = edgebin.SignPack(h, u) y = edgebin.BinaryLinear <k = {n}> (d, w2, s2, c2) }}"
    )
    constants = {"w": bits(random, n, k), "w2": bits(random, 5, n), **vectors(random, t=k, s=n, c=n, u=n)}
    constants |= {"s2": np.ones(5, np.float32), "c2": np.zeros(5, np.float32)}
    written = check(text, constants, run, exact=True)
    # No float between the layers, and no second LceQuantize.
    assert [operator.kind for operator in written.operators].count("LceQuantize") == 1


@lce_runtimes
@pytest.mark.parametrize("k", [40, 64, 384])
def test_ternary_linear_takes_zero_for_zero(k: int, run, random: np.random.Generator) -> None:
    text = (
        f"g (float[2,5,{k}] x) => (float[2,5,7] y) {{ i = Mul(x, r) j = Round(i) "
        f"n = edgebin.SignPack(j, t) p = edgebin.SignPack(j, u) "
        f"y = edgebin.TernaryLinear <k = {k}> (n, p, w, s, c) }}"
    )
    constants = {"t": np.zeros(k, np.float32), "u": np.full(k, 0.5, np.float32), "w": bits(random, 7, k)}
    constants |= {"r": np.array(1.5, np.float32), "s": np.ones(7, np.float32), "c": np.zeros(7, np.float32)}
    check(text, constants, run, exact=True)


@lce_runtimes
@pytest.mark.parametrize(
    ("channels", "groups", "kernel", "dilation"),
    [
        *[(64, 1, 3, 1), (64, 1, 1, 1), (40, 1, 3, 1), (128, 4, 3, 1), (128, 2, 5, 1), (96, 3, 3, 2)],
        # Not in LCE: groups that are no multiples of 32, zeros round an odd number of channels or a smaller image.
        *[(64, 4, 3, 3), (40, 2, 3, 1), (33, 1, 3, 1), (6, 3, 5, 1), (64, 1, 3, 5)],
    ],
)
def test_binary_conv2d(channels: int, groups: int, kernel: int, dilation: int, run, random) -> None:
    n = 4 * groups
    text = (
        f"g (float[2,7,6,{channels}] x) => (float[2,7,6,{n}] y) {{ b = edgebin.SignPack(x, t) "
        f"y = edgebin.BinaryConv2d <kernel = {kernel}, dilation = {dilation}, groups = {groups}, "
        f"channels = {channels}> (b, w, s, c) }}"
    )
    k = kernel * kernel * channels // groups
    check(text, {**layer(random, n, k), **vectors(random, t=channels)}, run, k=k)


@lce_runtimes
@pytest.mark.parametrize("k", [5, 64, 100])
def test_signed_linear(k: int, run, random: np.random.Generator) -> None:
    text = f"g (float[2,3,{k}] x) => (float[2,3,9] y) {{ y = edgebin.SignedLinear <k = {k}> (x, w, s, c) }}"
    check(text, layer(random, 9, k), run)


@lce_runtimes
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)])
@pytest.mark.parametrize("circular", [0, 1])
def test_plus_stencil(size: tuple[int, int], circular: int, run, random: np.random.Generator) -> None:
    shape = f"2,{size[0]},{size[1]},12"
    text = f"g (float[{shape}] x) => (float[{shape}] y) {{ y = edgebin.PlusStencil <circular = {circular}> (x, w, c) }}"
    check(text, {"w": random.normal(size=(9, 12)).astype(np.float32), **vectors(random, c=12)}, run)


@lce_runtimes
@pytest.mark.parametrize("shape", ["3,40", "2,3,40", "1,2,3,40"])
def test_rprelu(shape: str, run, random: np.random.Generator) -> None:
    text = f"g (float[{shape}] x) => (float[{shape}] y) {{ y = edgebin.RPReLU(x, s, p, o) }}"
    check(text, vectors(random, s=40, p=40, o=40), run)


def attention(op: str, heads: int, size: int, *, batch: int, q: int, kv: int, extra: str = "") -> str:
    channels = heads * size
    return (
        f"g (float[{batch},{q},{channels}] q, float[{batch},{kv},{channels}] k, float[{batch},{kv},{channels}] v) => "
        f"(int32[{batch},{q},{channels}] y) {{ a = edgebin.SignPack(q, t) b = edgebin.SignPack(k, t) "
        f"c = edgebin.SignPack(v, t) y = edgebin.{op} (a, b, c{extra}) }}"
    )


HEADS = [(1, 64), (2, 32), (3, 8), (6, 64)]


@lce_runtimes
@pytest.mark.parametrize(("heads", "size"), HEADS)
@pytest.mark.parametrize("maps", [1, 3])
def test_binary_attention(heads: int, size: int, maps: int, run, random: np.random.Generator) -> None:
    # As large as in the networks: a row's sum is beyond what float has exactly.
    exp_table = np.sort(random.integers(1, 2**48, size + 1))
    limit = np.sort(random.integers(2**46, 2**52, (maps, heads, size + 1)), axis=-1)
    name = f"BinaryAttention <heads = {heads}, head_dim = {size}>"
    text = attention(name, heads, size, batch=2, q=5, kv=7, extra=", e, l")
    threshold = np.zeros(heads * size, np.float32)
    check(text, {"t": threshold, "e": exp_table, "l": limit}, run)


@lce_runtimes
@pytest.mark.parametrize(("heads", "size"), HEADS)
@pytest.mark.parametrize("drop", [0, 3])
def test_relative_attention(heads: int, size: int, drop: int, run, random: np.random.Generator) -> None:
    name = f"RelativeAttention <heads = {heads}, head_dim = {size}, drop = {drop}>"
    text = attention(name, heads, size, batch=2, q=5, kv=7)
    check(text, vectors(random, t=heads * size), run)


@lce_runtimes
@pytest.mark.parametrize(("heads", "size"), HEADS)
@pytest.mark.parametrize("groups", [1, 2])
def test_biased_attention(heads: int, size: int, groups: int, run, random: np.random.Generator) -> None:
    bias = random.normal(size=(groups, heads, 9, 9)).astype(np.float32)
    bias[:, :, 0, 4:] = -100
    name = f"BiasedAttention <heads = {heads}, head_dim = {size}>"
    text = attention(name, heads, size, batch=4, q=9, kv=9, extra=", z, s, m")
    scale, margin = np.array([size**-0.5], np.float32), np.array([1.3862944], np.float32)
    check(text, {"z": bias, "s": scale, "m": margin, **vectors(random, t=heads * size)}, run)


@lce_runtimes
def test_bits_that_two_layers_read_are_packed_once(run, random: np.random.Generator) -> None:
    text = (
        "g (float[1,4,64] x) => (float[1,4,8] y, float[1,4,8] z) "
        "{ a = edgebin.SignPack(x, t) b = edgebin.SignPack(x, u) "
        "y = edgebin.BinaryLinear <k = 64> (a, w, s, c) z = edgebin.BinaryLinear <k = 64> (b, v, s, c) }"
    )
    constants = {**layer(random, 8, 64), "v": bits(random, 8, 64), **vectors(random, t=64)}
    written = check(text, {**constants, "u": constants["t"].copy()}, run, k=64)
    assert [operator.kind for operator in written.operators].count("LceQuantize") == 1


@lce_runtimes
@pytest.mark.parametrize("channels", [16, 40, 64])
def test_rows_of_bits_move_whole(channels: int, run, random: np.random.Generator) -> None:
    """Patches of 2 × 2 pixels become rows of whole 64-bit words: what BHViT does between its stages."""
    text = (
        f"g (float[1,16,{channels}] x) => (float[1,4,8] y) {{ a = edgebin.SignPack(x, t) r = Reshape(a, s1) "
        "p = Transpose <perm = [0, 1, 3, 2, 4, 5]> (r) m = Reshape(p, s2) "
        "y = edgebin.BinaryLinear <k = 256> (m, w, s, c) }"
    )
    shapes = {"s1": np.array([1, 2, 2, 2, 2, 8]), "s2": np.array([1, 4, 32])}
    check(text, {**layer(random, 8, 256), **shapes, **vectors(random, t=channels)}, run, k=256)


REFUSED = {
    "rows of 80 bits are read from rows of 128": (
        "g (float[1,4,40] x) => (float[1,2,8] y) { a = edgebin.SignPack(x, t) r = Reshape(a, s1) "
        "y = edgebin.BinaryLinear <k = 80> (r, w, s, c) }",
        {"s1": np.array([1, 2, 16])}, 40, 80,
    ),
    "moves bits within": (
        "g (float[1,4,80] x) => (float[1,8,8] y) { a = edgebin.SignPack(x, t) r = Reshape(a, s1) "
        "y = edgebin.BinaryLinear <k = 40> (r, w, s, c) }",
        {"s1": np.array([1, 8, 8])}, 80, 40,
    ),
    "denormal": (
        "g (float[1,4,64] x) => (float[1,4,8] y) { a = edgebin.SignPack(x, t) "
        "y = edgebin.BinaryLinear <k = 64> (a, w, s, c) }",
        {"t": np.full(64, 1e-45, np.float32)}, 64, 64,
    ),
    "overflow": (
        "g (float[1,2,65088] x) => (float[1,2,8] y) { a = edgebin.SignPack(x, t) "
        "y = edgebin.BinaryLinear <k = 65088> (a, w, s, c) }",
        {}, 65088, 65088,
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_what_lce_would_get_wrong_is_refused(reason: str, random: np.random.Generator) -> None:
    text, constants, channels, k = REFUSED[reason]
    constants = {**layer(random, 8, k), **vectors(random, t=channels), **constants}
    with pytest.raises(UnsupportedOp, match=reason):
        build_lce_model(graph_of(model_of(text, constants)), batch=1)


@pytest.mark.skipif(not parameters(LCE_RUNTIMES), reason="no LCE")
def test_short_rows_are_warned_of(random: np.random.Generator) -> None:
    text = (
        "g (float[1,4,64] x) => (float[1,4,8] y) "
        "{ a = edgebin.SignPack(x, t) y = edgebin.BinaryLinear <k = 64> (a, w, s, c) }"
    )
    constants = {**layer(random, 8, 64), **vectors(random, t=64)}
    written = check(text, constants, run_lce, k=64)
    assert written.warnings == ("`binarylinear1`: rows of 64 bits, which LCE pads to a multiple of 128 on ARM",)
