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


def finish(
    acc: np.ndarray, tensors: tuple[np.ndarray, ...], operands: str, results: str, pool: int, shapes: str | None = None
) -> tuple[np.ndarray, ...]:
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
    if shapes:
        sizes = [[int(size) for size in shape.split("x")] for shape in shapes.split()]
        outputs = [output.reshape(shape) for output, shape in zip(outputs, sizes, strict=True)]
    return tuple(outputs)


class FusedBinaryLinear(OpRun):
    op_domain = "edgebin"

    def _run(self, bits, weight, *tensors, k, operands, results, pool, shapes=None):
        a, w = signs(bits), signs(weight)
        return finish(a @ w.T - (a.shape[-1] - k), tensors, operands, results, pool, shapes)


class FusedTernaryLinear(OpRun):
    op_domain = "edgebin"

    def _run(self, negative, not_positive, weight, *tensors, k, operands, results, pool, shapes=None):
        a, b, w = signs(negative), signs(not_positive), signs(weight)
        return finish((a + b) // 2 @ w.T - (a.shape[-1] - k), tensors, operands, results, pool, shapes)


class FusedSignedLinear(OpRun):
    op_domain = "edgebin"

    def _run(self, x, weight, *tensors, k, operands, results, pool, shapes=None):
        acc = x.astype(np.float64) @ signs(weight)[:, :k].T
        return finish(acc, tensors, operands, results, pool, shapes)


class FusedBinaryConv(OpRun):
    op_domain = "edgebin"

    def _run(
        self, bits, weight, *tensors, kernel, dilation, groups, channels, operands, results, pool, shapes=None
    ):  # fmt: skip
        batch, height, width, _ = bits.shape
        depth, outputs = channels // groups, weight.shape[0]
        padding = dilation * (kernel - 1) // 2
        margin = ((0, 0), (padding, padding), (padding, padding), (0, 0))
        x = np.pad(signs(bits)[..., :channels], margin)
        taps = signs(weight)[:, : kernel * kernel * depth].reshape(groups, outputs // groups, kernel, kernel, depth)
        acc = np.zeros((batch, height, width, groups, outputs // groups), np.int64)
        for ky in range(kernel):
            for kx in range(kernel):
                top, left = ky * dilation, kx * dilation
                tap = x[:, top : top + height, left : left + width].reshape(batch, height, width, groups, depth)
                acc += np.einsum("bhwgd,god->bhwgo", tap, taps[:, :, ky, kx])
        return finish(acc.reshape(batch, height, width, outputs), tensors, operands, results, pool, shapes)


class FusedLinear(OpRun):
    op_domain = "edgebin"

    def _run(self, x, weight, *tensors, operands, results, pool, shapes=None):
        return finish(x.astype(np.float64) @ weight.T.astype(np.float64), tensors, operands, results, pool, shapes)


class FusedMatMul(OpRun):
    op_domain = "edgebin"

    def _run(self, a, b, *tensors, operands, results, pool, shapes=None):
        return finish(a.astype(np.float64) @ b.astype(np.float64), tensors, operands, results, pool, shapes)


class FusedRows(OpRun):
    op_domain = "edgebin"

    def _run(self, x, *tensors, operands, results, pool, shapes=None):
        return finish(x, tensors, operands, results, pool, shapes)


class FusedLayerNorm(OpRun):
    op_domain = "edgebin"

    def _run(self, x, *tensors, epsilon, operands, results, pool, shapes=None):
        wide = x.astype(np.float64)
        d = wide - wide.mean(-1, keepdims=True)
        acc = d / np.sqrt((d * d).mean(-1, keepdims=True) + epsilon)
        return finish(acc, tensors, operands, results, pool, shapes)


class FusedStencil(OpRun):
    op_domain = "edgebin"

    def _run(self, x, taps, bias, skip=None, *, circular):
        _, height, width, _ = x.shape
        total = np.broadcast_to(bias, x.shape).astype(np.float64)
        padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="wrap" if circular else "constant")
        for tap, (dh, dw) in zip(taps, STENCIL, strict=True):
            total = total + tap * padded[:, 2 + dh : 2 + dh + height, 2 + dw : 2 + dw + width]
        return ((total if skip is None else total + skip).astype(np.float32),)


def by_head(bits: np.ndarray, heads: int, head_dim: int) -> np.ndarray:
    values = signs(bits)[..., : heads * head_dim]
    return values.reshape(*values.shape[:-1], heads, head_dim).transpose(0, 2, 1, 3)


def by_token(context: np.ndarray, q: np.ndarray) -> np.ndarray:
    return context.transpose(0, 2, 1, 3).reshape(*q.shape[:-1], -1).astype(np.int32)


class RelativeAttention(OpRun):
    op_domain = "edgebin"

    def _run(self, q, k, v, heads, head_dim, drop):
        query, key, value = (by_head(bits, heads, head_dim) for bits in (q, k, v))
        agree = (query @ key.transpose(0, 1, 3, 2) + head_dim) // 2
        return (by_token((agree + drop >= agree.max(-1, keepdims=True)).astype(np.int64) @ value, q),)


class BiasedAttention(OpRun):
    op_domain = "edgebin"

    def _run(self, q, k, v, bias, scale, margin, heads, head_dim):
        query, key, value = (by_head(bits, heads, head_dim) for bits in (q, k, v))
        score = (query @ key.transpose(0, 1, 3, 2)).astype(np.float64)
        groups = np.arange(q.shape[0]) % bias.shape[0]
        t = (score * scale + bias[groups]).astype(np.float32)
        return (by_token((t >= t.max(-1, keepdims=True) - margin).astype(np.int64) @ value, q),)


class BinaryAttention(OpRun):
    op_domain = "edgebin"

    def _run(self, q, k, v, exp_table, limit, heads, head_dim):
        query, key, value = (by_head(bits, heads, head_dim) for bits in (q, k, v))
        agree = (query @ key.transpose(0, 1, 3, 2) + head_dim) // 2
        sums = exp_table[agree].sum(-1, keepdims=True)
        context = np.zeros_like(query)
        for thresholds in limit:
            limits = np.stack([thresholds[head][agree[:, head]] for head in range(heads)], axis=1)
            context = context + (sums < limits).astype(np.int64) @ value
        return (by_token(context, q),)


FUSED_OPS = [
    FusedBinaryLinear,
    FusedTernaryLinear,
    FusedSignedLinear,
    FusedBinaryConv,
    FusedLinear,
    FusedMatMul,
    FusedRows,
    FusedLayerNorm,
    FusedStencil,
    BinaryAttention,
    RelativeAttention,
    BiasedAttention,
]
