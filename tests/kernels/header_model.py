"""`kernels/include/edgebin.h` in numpy: what each kernel gives, one formula after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgebin.kernels.packing import pack_bits

Array = npt.NDArray[Any]


def fma(a: Array, b: Any, c: Array) -> Array:
    """float32 a * b + c with one rounding: the product of two floats is exact in float64, and nearly always the sum."""
    return (a.astype(np.float64) * b.astype(np.float64) + c.astype(np.float64)).astype(np.float32)


def epilogue(acc: Array, stages: dict[str, Any]) -> tuple[Array, list[Array]]:
    """`out` and the bit planes for float32 accumulators [m, n]."""
    n = acc.shape[1]
    bias = stages.get("bias", np.zeros(n, np.float32))
    v = fma(acc, stages["scale"], bias) if "scale" in stages else acc + bias
    for residual in stages.get("residual", ()):
        v = v + residual[:, np.arange(n) % residual.shape[1]]
    if "slope" in stages:
        v = np.where(v < 0, v * stages["slope"], v)
    if "offset" in stages:
        v = v + stages["offset"]
    if "gain" in stages:
        v = fma(v, stages["gain"], stages["shift"])
    if "skip" in stages:
        v = v + stages["skip"]
    pooled = v.reshape(len(v), -1, max(stages.get("pool", 0), 1))
    while pooled.shape[2] > 1:
        pooled = pooled[:, :, 0::2] + pooled[:, :, 1::2]
    out = pooled[:, :, 0] * np.float32(1 / max(stages.get("pool", 0), 1))
    return out, [pack_bits(v < threshold) for threshold in stages.get("threshold", ())]


def quantised(x: Array) -> tuple[Array, Array]:
    """q int8 [m, n] and scale float32 [m] of rows that are not tiny."""
    largest = np.abs(x).max(axis=1)
    return np.rint(x * (np.float32(127) / largest)[:, None]).astype(np.int8), largest / np.float32(127)


def _total(lanes: Array) -> Array:
    """[m, 16] → [m, 1], by halves."""
    while lanes.shape[1] > 1:
        half = lanes.shape[1] // 2
        lanes = lanes[:, :half] + lanes[:, half:]
    return lanes


def normalised(x: Array, epsilon: float) -> Array:
    """float32 [m, n] as `eb_layernorm` normalises it, sum for sum."""
    m, n = x.shape
    steps = range(0, n, 16)
    sums, squares = np.zeros((m, 16), np.float32), np.zeros((m, 16), np.float32)
    for j in steps:
        part = x[:, j : j + 16]
        sums[:, : part.shape[1]] += part
    d = x - _total(sums) / np.float32(n)
    for j in steps:
        part = d[:, j : j + 16]
        squares[:, : part.shape[1]] = fma(part, part, squares[:, : part.shape[1]])
    return d * (np.float32(1) / np.sqrt(_total(squares) / np.float32(n) + np.float32(epsilon)))


def signed_product(a: Array, w: Array) -> Array:
    """float32 [m, n]: floats a [m, k] added, or subtracted where booleans w [n, k] are true, in order of k."""
    acc = np.zeros((len(a), len(w)), np.float32)
    for p in range(a.shape[1]):
        acc = np.where(w[:, p], acc - a[:, p : p + 1], acc + a[:, p : p + 1])
    return acc


def convolution(x: Array, w: Array, dilation: int, groups: int) -> Array:
    """float32 [h, w, n]: signs x [h, w, c] in {-1, +1} with w [n, kernel, kernel, c / groups]; the padding is 0."""
    height, width, c = x.shape
    n, kernel = w.shape[:2]
    border = dilation * (kernel // 2)
    padded = np.pad(x, ((border, border), (border, border), (0, 0)))
    acc = np.zeros((height, width, n), np.float32)
    for g in range(groups):
        inputs, outputs = slice(g * c // groups, (g + 1) * c // groups), slice(g * n // groups, (g + 1) * n // groups)
        for ky, kx in np.ndindex(kernel, kernel):
            rows, cols = slice(ky * dilation, ky * dilation + height), slice(kx * dilation, kx * dilation + width)
            acc[:, :, outputs] += padded[rows, cols, inputs] @ w[outputs, ky, kx].T
    return acc


def agreement(q: Array, k: Array, heads: int) -> Array:
    """agree [heads, nq, nkv] for booleans q [nq, heads * d], k [nkv, heads * d]."""
    by_head = [x.reshape(len(x), heads, -1).transpose(1, 0, 2) for x in (q, k)]
    return (by_head[0][:, :, None] == by_head[1][:, None]).sum(axis=3)


def context_of(maps: Array, v: Array) -> Array:
    """Context [nq, heads * d] for maps [heads, nq, nkv] of counts and booleans v [nkv, heads * d]."""
    signs = np.where(v, -1, 1).reshape(len(v), len(maps), -1).transpose(1, 0, 2)
    context = (maps.astype(np.int64) @ signs).transpose(1, 0, 2)
    return np.ascontiguousarray(context, np.int32).reshape(maps.shape[1], -1)


def attention(q: Array, k: Array, v: Array, exp_table: Array, limit: Array) -> Array:
    """Context [nq, heads * d] for booleans (true: negative) q [nq, heads * d], k and v [nkv, heads * d]."""
    maps, heads, _ = limit.shape
    agree = agreement(q, k, heads)
    z = exp_table[agree].sum(axis=2, keepdims=True)
    kept = [[z[h] < limit[s, h][agree[h]] for h in range(heads)] for s in range(maps)]
    return context_of(np.array(kept).sum(axis=0), v)


def relative_attention(q: Array, k: Array, v: Array, heads: int, drop: int) -> Array:
    """As `attention`, with one map of what is at most `drop` below the best agreement."""
    agree = agreement(q, k, heads)
    return context_of(agree + drop >= agree.max(axis=2, keepdims=True), v)


def biased_attention(q: Array, k: Array, v: Array, bias: Array, scale: float, margin: float) -> Array:
    """As `attention`, with one map of biased scores; bias float32 [heads, nq, nkv]."""
    scores = 2 * agreement(q, k, len(bias)) - q.shape[1] // len(bias)
    t = fma(scores.astype(np.float32), np.float32(scale), bias)
    return context_of(t >= t.max(axis=2, keepdims=True) - np.float32(margin), v)


def stencil(x: Array, taps: Array, bias: Array, skip: Array | None, *, circular: bool) -> Array:
    """y [h, w, c]; a tap outside a zero-padded image is left out."""
    h, w, _ = x.shape
    v = np.broadcast_to(bias, x.shape).astype(np.float32)
    offsets = [(0, 0), (-1, 0), (1, 0), (-2, 0), (2, 0), (0, -1), (0, 1), (0, -2), (0, 2)]
    rows, cols = np.mgrid[0:h, 0:w]
    for (dh, dw), tap in zip(offsets, taps, strict=True):
        row, col = rows + dh, cols + dw
        inside = (row >= 0) & (row < h) & (col >= 0) & (col < w)
        read = fma(x[row % h, col % w], np.broadcast_to(tap, x.shape), v)
        v = read if circular else np.where(inside[:, :, None], read, v)
    return v if skip is None else v + skip
