"""The fused ops in NumPy, written from kernels/include/edgebin.h, so that `onnx.reference` can run a lowered graph."""

from __future__ import annotations

import numpy as np
from onnx.reference.op_run import OpRun

STENCIL = [(0, 0), (-1, 0), (1, 0), (-2, 0), (2, 0), (0, -1), (0, 1), (0, -2), (0, 2)]


def signs(bits: np.ndarray) -> np.ndarray:
    """±1 of every bit of a row, padding included."""
    return 1 - 2 * np.unpackbits(bits, axis=-1, bitorder="little").astype(np.int64)


def packed(negative: np.ndarray) -> np.ndarray:
    """Bit rows of whole 64-bit words."""
    columns = negative.shape[-1]
    padding = [(0, 0)] * (negative.ndim - 1) + [(0, -columns % 64)]
    return np.packbits(np.pad(negative, padding), axis=-1, bitorder="little")


def finish(acc: np.ndarray, tensors: tuple[np.ndarray, ...], operands, results, pool: int) -> tuple[np.ndarray, ...]:
    named = dict(zip(operands.split(), tensors, strict=True))
    columns = acc.shape[-1]
    v = acc.astype(np.float64)
    if "scale" in named:
        v = v * named["scale"]
    v = v + named.get("bias", 0)
    for index in range(3):
        if f"residual{index}" in named:
            residual = named[f"residual{index}"]
            v = v + np.tile(residual, columns // residual.shape[-1]).reshape(v.shape)
    if "slope" in named:
        v = np.where(v < 0, v * named["slope"], v)
    v = v + named.get("offset", 0)
    if "gain" in named:
        v = v * named["gain"] + named["shift"]
    if "skip" in named:
        v = v + named["skip"].reshape(v.shape)
    v = v.astype(np.float32)
    outputs = []
    for name in results.split():
        if name == "out":
            outputs.append(v.reshape(*v.shape[:-1], columns // pool, pool).mean(-1, dtype=np.float32))
        else:
            outputs.append(packed(v < named[name.replace("bits", "threshold")]))
    return tuple(outputs)


class FusedBinaryLinear(OpRun):
    op_domain = "edgebin"

    def _run(self, bits, weight, *tensors, k, operands, results, pool):
        a, w = signs(bits), signs(weight)
        return finish(a @ w.T - (a.shape[-1] - k), tensors, operands, results, pool)


class FusedLinear(OpRun):
    op_domain = "edgebin"

    def _run(self, x, weight, *tensors, operands, results, pool):
        return finish(x.astype(np.float64) @ weight.T.astype(np.float64), tensors, operands, results, pool)


class FusedMatMul(OpRun):
    op_domain = "edgebin"

    def _run(self, a, b, *tensors, operands, results, pool):
        return finish(a.astype(np.float64) @ b.astype(np.float64), tensors, operands, results, pool)


class FusedRows(OpRun):
    op_domain = "edgebin"

    def _run(self, x, *tensors, operands, results, pool):
        return finish(x, tensors, operands, results, pool)


class FusedStencil(OpRun):
    op_domain = "edgebin"

    def _run(self, x, taps, bias, skip=None, *, circular):
        _, height, width, _ = x.shape
        total = np.broadcast_to(bias, x.shape).astype(np.float64)
        padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="wrap" if circular else "constant")
        for tap, (dh, dw) in zip(taps, STENCIL, strict=True):
            total = total + tap * padded[:, 2 + dh : 2 + dh + height, 2 + dw : 2 + dw + width]
        return ((total if skip is None else total + skip).astype(np.float32),)


class BinaryAttention(OpRun):
    op_domain = "edgebin"

    def _run(self, q, k, v, exp_table, limit, heads, head_dim):
        width = heads * head_dim

        def split(bits: np.ndarray) -> np.ndarray:
            values = signs(bits)[..., :width]
            return values.reshape(*values.shape[:-1], heads, head_dim).transpose(0, 2, 1, 3)

        query, key, value = split(q), split(k), split(v)
        agree = (query @ key.transpose(0, 1, 3, 2) + head_dim) // 2
        sums = exp_table[agree].sum(-1, keepdims=True)
        context = np.zeros_like(query)
        for thresholds in limit:
            limits = np.stack([thresholds[head][agree[:, head]] for head in range(heads)], axis=1)
            context = context + (sums < limits).astype(np.int64) @ value
        return (context.transpose(0, 2, 1, 3).reshape(*q.shape[:-1], width).astype(np.int32),)


FUSED_OPS = [FusedBinaryLinear, FusedLinear, FusedMatMul, FusedRows, FusedStencil, BinaryAttention]
