"""`kernels/include/edgebin.h` in numpy: what each kernel gives, one formula after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgebin.kernels.packing import pack_bits

Array = npt.NDArray[Any]


def fma(a: Array, b: Array, c: Array) -> Array:
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


def attention(q: Array, k: Array, v: Array, exp_table: Array, limit: Array) -> Array:
    """Context [nq, heads * d] for booleans (true: negative) q [nq, heads * d], k and v [nkv, heads * d]."""
    maps, heads, entries = limit.shape
    d = entries - 1
    context = np.zeros((len(q), heads * d), np.int32)
    for h in range(heads):
        columns = slice(h * d, (h + 1) * d)
        agree = (q[:, None, columns] == k[None, :, columns]).sum(axis=2)
        z = exp_table[agree].sum(axis=1, keepdims=True)
        signs = np.where(v[:, columns], -1, 1)
        for s in range(maps):
            context[:, columns] += ((z < limit[s, h][agree]).astype(np.int64) @ signs).astype(np.int32)
    return context


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
