"""`kernels/include/edgebin.h` for ctypes, and calls that take and give numpy arrays."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_float, c_int, c_int8, c_int32, c_int64, c_size_t, c_uint8, c_void_p
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebin.kernels.packing import bit_row_bytes

Array = npt.NDArray[Any]
_FLOATS = POINTER(c_float)
_BYTES = POINTER(c_uint8)


class Epilogue(ctypes.Structure):
    _fields_ = (
        ("scale", _FLOATS),
        ("bias", _FLOATS),
        ("residual", _FLOATS * 3),
        ("residual_cols", c_size_t * 3),
        ("slope", _FLOATS),
        ("offset", _FLOATS),
        ("gain", _FLOATS),
        ("shift", _FLOATS),
        ("skip", _FLOATS),
        ("out", _FLOATS),
        ("pool", c_size_t),
        ("threshold", _FLOATS * 3),
        ("bits", _BYTES * 3),
    )


class B1GemmArgs(ctypes.Structure):
    _fields_ = (
        *(("m", c_size_t), ("n", c_size_t), ("k", c_size_t)),
        *(("a", _BYTES), ("a2", _BYTES), ("w", c_void_p), ("epilogue", Epilogue)),
    )


class FloatGemmArgs(ctypes.Structure):
    """eb_f32_gemm_args and eb_w1_gemm_args."""

    _fields_ = (
        *(("m", c_size_t), ("n", c_size_t), ("k", c_size_t)),
        *(("a", _FLOATS), ("w", c_void_p), ("epilogue", Epilogue)),
    )


class W1I8GemmArgs(ctypes.Structure):
    _fields_ = (
        *(("m", c_size_t), ("n", c_size_t), ("k", c_size_t)),
        *(("a", POINTER(c_int8)), ("row_scale", _FLOATS), ("w", c_void_p)),
        *(("workspace", c_void_p), ("epilogue", Epilogue)),
    )


class B1ConvArgs(ctypes.Structure):
    _fields_ = (
        *((name, c_size_t) for name in ("h", "w", "c", "n", "kernel", "dilation", "groups", "row_begin", "row_end")),
        *(("a", _BYTES), ("weights", c_void_p), ("workspace", c_void_p), ("epilogue", Epilogue)),
    )


class RowsArgs(ctypes.Structure):
    _fields_ = (
        *(("m", c_size_t), ("n", c_size_t), ("x_f32", _FLOATS), ("x_i32", POINTER(c_int32))),
        ("epilogue", Epilogue),
    )


class QuantizeArgs(ctypes.Structure):
    _fields_ = (
        *(("m", c_size_t), ("n", c_size_t)),
        *(("x", _FLOATS), ("q", POINTER(c_int8)), ("scale", _FLOATS)),
    )


class LayerNormArgs(ctypes.Structure):
    _fields_ = (("m", c_size_t), ("n", c_size_t), ("x", _FLOATS), ("epsilon", c_float), ("epilogue", Epilogue))


class B1AttentionArgs(ctypes.Structure):
    _fields_ = (
        *((name, c_size_t) for name in ("heads", "head_dim", "nq", "nkv", "maps", "head_begin", "head_end")),
        *(("q", _BYTES), ("k", _BYTES), ("v", _BYTES)),
        *(("exp_table", POINTER(c_int64)), ("limit", POINTER(c_int64))),
        *(("context", POINTER(c_int32)), ("workspace", c_void_p)),
    )


class B1RelativeAttentionArgs(ctypes.Structure):
    _fields_ = (
        *((name, c_size_t) for name in ("heads", "head_dim", "nq", "nkv", "head_begin", "head_end")),
        *(("q", _BYTES), ("k", _BYTES), ("v", _BYTES), ("drop", c_size_t)),
        *(("context", POINTER(c_int32)), ("workspace", c_void_p)),
    )


class B1BiasedAttentionArgs(ctypes.Structure):
    _fields_ = (
        *((name, c_size_t) for name in ("heads", "head_dim", "nq", "nkv", "head_begin", "head_end")),
        *(("q", _BYTES), ("k", _BYTES), ("v", _BYTES), ("bias", _FLOATS), ("scale", c_float), ("margin", c_float)),
        *(("context", POINTER(c_int32)), ("workspace", c_void_p)),
    )


class F32StencilArgs(ctypes.Structure):
    _fields_ = (
        *((name, c_size_t) for name in ("h", "w", "c", "row_begin", "row_end")),
        ("circular", c_int),
        *((name, _FLOATS) for name in ("x", "taps", "bias", "skip", "y")),
    )


def pointer(array: Array | None, kind: Any) -> Any:
    """A typed pointer to a C-contiguous array, NULL for None. The caller keeps the array alive."""
    return None if array is None else array.ctypes.data_as(kind)


def epilogue(m: int, n: int, stages: dict[str, Any]) -> tuple[Epilogue, Array | None, list[Array]]:
    """The struct for `stages` (fields of eb_epilogue; `residual`, `threshold` are lists, `out` a bool), its outputs."""
    e = Epilogue()
    for name in ("scale", "bias", "slope", "offset", "gain", "shift", "skip"):
        setattr(e, name, pointer(stages.get(name), _FLOATS))
    for r, residual in enumerate(stages.get("residual", ())):
        e.residual[r], e.residual_cols[r] = pointer(residual, _FLOATS), residual.shape[1]
    e.pool = stages.get("pool", 0)
    out = np.empty((m, n // max(e.pool, 1)), np.float32) if stages.get("out", True) else None
    e.out = pointer(out, _FLOATS)
    planes = [np.empty((m, bit_row_bytes(n)), np.uint8) for _ in stages.get("threshold", ())]
    for p, threshold in enumerate(stages.get("threshold", ())):
        e.threshold[p], e.bits[p] = pointer(threshold, _FLOATS), pointer(planes[p], _BYTES)
    return e, out, planes


@dataclass(frozen=True)
class Call:
    """A kernel with its arguments: calling it runs the kernel on them, again and again. `keep` owns their memory."""

    function: Any
    args: ctypes.Structure
    out: Array | None
    planes: list[Array]
    keep: tuple[Any, ...]

    def __call__(self) -> tuple[Array | None, list[Array]]:
        self.function(byref(self.args))
        return self.out, self.planes


class Kernels:
    """The kernels of one path in a shared library. Each method prepares a call."""

    def __init__(self, library: ctypes.CDLL, path: str) -> None:
        self.library, self.path = library, path

    def _function(self, op: str) -> Any:
        return getattr(self.library, f"eb_{op}__{self.path}")

    def _workspace(self, op: str, args: ctypes.Structure) -> Array:
        """Gives `args` its workspace; the caller keeps it."""
        bytes_ = self._function(f"{op}_workspace")
        bytes_.restype = c_size_t
        workspace = np.empty(bytes_(byref(args)) + 64, np.uint8)
        args.workspace = workspace.ctypes.data + -workspace.ctypes.data % 64
        return workspace

    def b1_gemm(self, a: Array, w: Array, k: int, n: int, a2: Array | None = None, **stages: Any) -> Call:
        e, out, planes = epilogue(len(a), n, stages)
        args = B1GemmArgs(len(a), n, k, pointer(a, _BYTES), pointer(a2, _BYTES), w.ctypes.data, e)
        return Call(self._function("b1_gemm"), args, out, planes, (a, a2, w, stages))

    def _float_gemm(self, op: str, a: Array, w: Array, n: int, stages: dict[str, Any]) -> Call:
        e, out, planes = epilogue(len(a), n, stages)
        args = FloatGemmArgs(len(a), n, a.shape[1], pointer(a, _FLOATS), w.ctypes.data, e)
        return Call(self._function(op), args, out, planes, (a, w, stages))

    def f32_gemm(self, a: Array, w: Array, n: int, **stages: Any) -> Call:
        return self._float_gemm("f32_gemm", a, w, n, stages)

    def w1_gemm(self, a: Array, w: Array, n: int, **stages: Any) -> Call:
        return self._float_gemm("w1_gemm", a, w, n, stages)

    def w1i8_gemm(self, a: Array, w: Array, n: int, row_scale: Array | None = None, **stages: Any) -> Call:
        e, out, planes = epilogue(len(a), n, stages)
        args = W1I8GemmArgs(len(a), n, a.shape[1], w=w.ctypes.data, epilogue=e)
        args.a, args.row_scale = pointer(a, POINTER(c_int8)), pointer(row_scale, _FLOATS)
        workspace = self._workspace("w1i8_gemm", args)
        return Call(self._function("w1i8_gemm"), args, out, planes, (a, row_scale, w, stages, workspace))

    def quantize(self, x: Array) -> Call:
        """Gives q, and scale as the only plane."""
        q, scale = np.empty(x.shape, np.int8), np.empty(len(x), np.float32)
        args = QuantizeArgs(*x.shape, pointer(x, _FLOATS), pointer(q, POINTER(c_int8)), pointer(scale, _FLOATS))
        return Call(self._function("quantize"), args, q, [scale], (x,))

    def b1_conv(
        self, a: Array, w: Array, c: int, n: int, kernel: int, dilation: int, groups: int, **stages: Any
    ) -> Call:
        """`a`: bits [h, w, row of c bits]; the outputs are [h * w, …]."""
        height, width = a.shape[:2]
        e, out, planes = epilogue(height * width, n, stages)
        args = B1ConvArgs(height, width, c, n, kernel, dilation, groups, 0, height, epilogue=e)
        args.a, args.weights = pointer(a, _BYTES), w.ctypes.data
        return Call(self._function("b1_conv"), args, out, planes, (a, w, stages, self._workspace("b1_conv", args)))

    def rows(self, x: Array, **stages: Any) -> Call:
        m, n = x.shape
        e, out, planes = epilogue(m, n, stages)
        args = RowsArgs(m, n, epilogue=e)
        if x.dtype == np.int32:
            args.x_i32 = pointer(x, POINTER(c_int32))
        else:
            args.x_f32 = pointer(x, _FLOATS)
        return Call(self._function("rows"), args, out, planes, (x, stages))

    def layernorm(self, x: Array, epsilon: float, **stages: Any) -> Call:
        e, out, planes = epilogue(*x.shape, stages)
        args = LayerNormArgs(*x.shape, pointer(x, _FLOATS), epsilon, e)
        return Call(self._function("layernorm"), args, out, planes, (x, stages))

    def b1_attention(self, q: Array, k: Array, v: Array, exp_table: Array, limit: Array) -> Call:
        maps, heads, entries = limit.shape
        args = B1AttentionArgs(heads, entries - 1, len(q), len(k), maps, 0, heads)
        args.exp_table, args.limit = pointer(exp_table, POINTER(c_int64)), pointer(limit, POINTER(c_int64))
        return self._attention("b1_attention", args, q, k, v, exp_table, limit)

    def b1_relative_attention(self, q: Array, k: Array, v: Array, heads: int, head_dim: int, drop: int) -> Call:
        args = B1RelativeAttentionArgs(heads, head_dim, len(q), len(k), 0, heads, drop=drop)
        return self._attention("b1_relative_attention", args, q, k, v)

    def b1_biased_attention(
        self, q: Array, k: Array, v: Array, head_dim: int, bias: Array, scale: float, margin: float
    ) -> Call:
        args = B1BiasedAttentionArgs(len(bias), head_dim, len(q), len(k), 0, len(bias), scale=scale, margin=margin)
        args.bias = pointer(bias, _FLOATS)
        return self._attention("b1_biased_attention", args, q, k, v, bias)

    def _attention(self, op: str, args: Any, q: Array, k: Array, v: Array, *keep: Array) -> Call:
        context = np.empty((len(q), args.heads * args.head_dim), np.int32)
        args.q, args.k, args.v = (pointer(array, _BYTES) for array in (q, k, v))
        args.context = pointer(context, POINTER(c_int32))
        return Call(self._function(op), args, context, [], (q, k, v, *keep, self._workspace(op, args)))

    def f32_stencil(self, x: Array, taps: Array, bias: Array, skip: Array | None, *, circular: bool) -> Call:
        h, w, c = x.shape
        y = np.empty_like(x)
        floats = (pointer(array, _FLOATS) for array in (x, taps, bias, skip, y))
        args = F32StencilArgs(h, w, c, 0, h, circular, *floats)
        return Call(self._function("f32_stencil"), args, y, [], (x, taps, bias, skip))
