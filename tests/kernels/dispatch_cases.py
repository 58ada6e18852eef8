"""Nodes of every op, in shapes that fit nothing: what kernels/dispatch and the libraries over it are tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgebin.kernels.packing import pack_bits

Array = np.ndarray[Any, np.dtype[Any]]

EPILOGUES = {
    "plain": ("", "out", 1),
    "vectors": ("scale bias", "out", 1),
    "bits only": ("scale bias threshold0", "bits0", 1),
    "everything": (
        "scale bias residual0 residual1 residual2 slope offset gain shift skip threshold0 threshold1 threshold2",
        "out bits0 bits1 bits2",
        1,
    ),
    "narrow residual, pooled": ("scale residual0/4 slope offset threshold0", "out bits0", 4),
}


@dataclass(frozen=True)
class Case:
    """One node: `inputs` in order, the constant among them."""

    name: str
    op: str
    inputs: tuple[Array, ...]
    attributes: dict[str, Any]


def floats(random: np.random.Generator, *shape: int) -> Array:
    return random.normal(size=shape).astype(np.float32)


def bits(random: np.random.Generator, *shape: int) -> Array:
    """`shape` counts bits."""
    return pack_bits(random.random(shape) < 0.5)


def epilogue(
    random: np.random.Generator, kind: str, rows: tuple[int, ...], columns: int, spread: float
) -> tuple[list[Array], dict[str, Any]]:
    """Operands and attributes of an epilogue for values of about ±`spread`."""
    operands, results, pool = EPILOGUES[kind]
    arrays = []
    for word in operands.split():
        name, _, repeats = word.partition("/")
        if name.startswith("residual") or name == "skip":
            arrays.append(floats(random, *rows, columns // int(repeats or 1)))
        elif name == "scale":
            arrays.append(floats(random, columns) / np.float32(spread))
        else:
            arrays.append(floats(random, columns))
    names = " ".join(word.partition("/")[0] for word in operands.split())
    return arrays, {"operands": names, "results": results, "pool": pool}


def cases() -> Iterator[Case]:
    """Every op with every epilogue it can have."""
    random = np.random.default_rng(11)
    for kind in EPILOGUES:
        for name, make in _FUSED.items():
            yield make(random, name, kind)
    yield from _attentions(random)
    for circular in (0, 1):
        x, taps, bias = floats(random, 2, 7, 5, 19), floats(random, 9, 19), floats(random, 19)
        for inputs in ((x, taps, bias), (x, taps, bias, floats(random, 2, 7, 5, 19))):
            label = f"FusedStencil, circular {circular}, {len(inputs)} inputs"
            yield Case(label, "FusedStencil", inputs, {"circular": circular})


def _named(random: np.random.Generator, op: str, kind: str, leading: list[Array], rows: tuple[int, ...], n: int,
           spread: float, **attributes: Any) -> Case:  # fmt: skip
    operands, epilogue_attributes = epilogue(random, kind, rows, n, spread)
    return Case(f"{op}, {kind}", op, (*leading, *operands), {**attributes, **epilogue_attributes})


def _binary(random: np.random.Generator, op: str, kind: str) -> Case:
    k, n = 200, 36
    planes = [bits(random, 2, 15, k)]
    if op == "FusedTernaryLinear":
        planes.append(planes[0] | bits(random, 2, 15, k))
    return _named(random, op, kind, [*planes, bits(random, n, k)], (2, 15), n, k**0.5, k=k)


def _signed(random: np.random.Generator, op: str, kind: str) -> Case:
    k, n = 77, 36
    leading = [floats(random, 2, 15, k), bits(random, n, k)]
    return _named(random, op, kind, leading, (2, 15), n, k**0.5, k=k)


def _conv(random: np.random.Generator, op: str, kind: str) -> Case:
    channels, groups, n = 24, 3, 36
    leading = [bits(random, 2, 6, 5, channels), bits(random, n, 9 * channels // groups)]
    sizes = {"kernel": 3, "dilation": 2, "groups": groups, "channels": channels}
    return _named(random, op, kind, leading, (2, 6, 5), n, 8.0, **sizes)


def _linear(random: np.random.Generator, op: str, kind: str) -> Case:
    return _named(random, op, kind, [floats(random, 2, 15, 50), floats(random, 36, 50)], (2, 15), 36, 7.0)


def _matmul(random: np.random.Generator, op: str, kind: str) -> Case:
    leading = [floats(random, 2, 3, 5, 50), floats(random, 2, 3, 50, 36)]
    return _named(random, op, kind, leading, (2, 3, 5), 36, 7.0)


def _rows(random: np.random.Generator, op: str, kind: str) -> Case:
    return _named(random, op, kind, [floats(random, 2, 15, 36)], (2, 15), 36, 1.0)


def _integers(random: np.random.Generator, op: str, kind: str) -> Case:
    x = random.integers(-99, 99, (2, 15, 36)).astype(np.int32)
    case = _named(random, "FusedRows", kind, [x], (2, 15), 36, 50.0)
    return replace(case, name=f"{op}, {kind}")


def _layer_norm(random: np.random.Generator, op: str, kind: str) -> Case:
    return _named(random, op, kind, [floats(random, 2, 15, 36)], (2, 15), 36, 1.0, epsilon=1e-5)


_FUSED: dict[str, Callable[[np.random.Generator, str, str], Case]] = {
    "FusedBinaryLinear": _binary,
    "FusedTernaryLinear": _binary,
    "FusedSignedLinear": _signed,
    "FusedBinaryConv": _conv,
    "FusedLinear": _linear,
    "FusedMatMul": _matmul,
    "FusedRows": _rows,
    "FusedRows of integers": _integers,
    "FusedLayerNorm": _layer_norm,
}


def _attentions(random: np.random.Generator) -> Iterator[Case]:
    heads, head_dim, nq, nkv = 3, 24, 9, 21
    q, k, v = (bits(random, 4, tokens, heads * head_dim) for tokens in (nq, nkv, nkv))
    sizes = {"heads": heads, "head_dim": head_dim}
    table = np.exp(np.arange(head_dim + 1) / 3).astype(np.int64) + 1
    mean = random.integers(1, 4, (2, heads, 1)) * table * nkv
    yield Case("BinaryAttention", "BinaryAttention", (q, k, v, table, mean), sizes)
    yield Case("RelativeAttention", "RelativeAttention", (q, k, v), {**sizes, "drop": 3})
    bias = floats(random, 2, heads, nq, nkv)
    one = np.ones(1, np.float32)
    yield Case("BiasedAttention", "BiasedAttention", (q, k, v, bias, one / 4, one), sizes)


def concept_cases() -> Iterator[Case]:
    """The concept ops that have a fused op of another name."""
    random = np.random.default_rng(12)
    k, n = 200, 36
    planes = bits(random, 2, 15, k)
    vectors = floats(random, n) / 10, floats(random, n)
    yield Case("BinaryLinear", "BinaryLinear", (planes, bits(random, n, k), *vectors), {"k": k})
    second = planes | bits(random, 2, 15, k)
    yield Case("TernaryLinear", "TernaryLinear", (planes, second, bits(random, n, k), *vectors), {"k": k})
    yield Case("SignedLinear", "SignedLinear", (floats(random, 2, 15, k), bits(random, n, k), *vectors), {"k": k})
    image, weight = bits(random, 2, 6, 5, 24), bits(random, n, 9 * 8)
    sizes = {"kernel": 3, "dilation": 1, "groups": 3, "channels": 24}
    yield Case("BinaryConv2d", "BinaryConv2d", (image, weight, *vectors), sizes)
    x = floats(random, 2, 15, n)
    yield Case("SignPack", "SignPack", (x, floats(random, n)), {})
    yield Case("RPReLU", "RPReLU", (x, *(floats(random, n) for _ in range(3))), {})
    image = floats(random, 2, 7, 5, 19)
    yield Case("PlusStencil", "PlusStencil", (image, floats(random, 9, 19), floats(random, 19)), {"circular": 0})
