"""ONNX with fused ops → a Relax module, weights packed into the panels of one kernel path.

TVM's importer looks converters up by op type alone and has no public hook for more, so `imported` puts ours beside its
own for the duration of one import. That is the only place that touches a private name of TVM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from tvm import relax
from tvm.relax.frontend.onnx import onnx_frontend

from edgebin.backends.tvm.glue import Buffer
from edgebin.backends.tvm.relax_ops import kernel_op
from edgebin.errors import UnsupportedOp
from edgebin.kernels.layout import pack_b1_weights, pack_f32_weights
from edgebin.kernels.packing import bit_row_bytes
from edgebin.kernels.variants import find_variant
from edgebin.passes.fused import words

Attributes = dict[str, Any]


def imported(model: onnx.ModelProto, path: str) -> Any:
    """The Relax module of a lowered model for one kernel path.

    Raises:
        UnsupportedOp: neither edgebin nor TVM's importer knows one of the ops.
    """
    ours = {
        name: _converter(convert, path)
        for name, convert in {
            "FusedBinaryLinear": _binary_linear,
            "FusedLinear": _linear,
            "FusedMatMul": _matmul,
            "FusedRows": _rows,
            "FusedStencil": _stencil,
            "BinaryAttention": _attention,
        }.items()
    }
    _refuse_unknown_ops(model, ours)
    original = onnx_frontend._get_convert_map
    onnx_frontend._get_convert_map = lambda: {**original(), **ours}
    try:
        return onnx_frontend.from_onnx(model)
    finally:
        onnx_frontend._get_convert_map = original


def _refuse_unknown_ops(model: onnx.ModelProto, ours: Mapping[str, type]) -> None:
    known = {*onnx_frontend._get_convert_map(), *ours, "Constant", "If"}
    for node in model.graph.node:
        if node.op_type not in known:
            raise UnsupportedOp(
                node.name,
                f"TVM has no importer for the op `{node.op_type}`",
                hint="express it in other standard ops, or with the layers of edgebin.nn",
            )


def _converter(convert: Callable[[Sequence[Any], Attributes, str], Any], path: str) -> type:
    class Converter(onnx_frontend.OnnxOpConverter):  # type: ignore[misc]
        @classmethod
        def _impl_v1(cls, builder: Any, inputs: Any, attributes: Attributes, _params: Any) -> Any:
            return builder.emit(convert(list(inputs), attributes, path))

    return Converter


def _binary_linear(inputs: Sequence[Any], attributes: Attributes, path: str) -> Any:
    weight = _array(inputs[1])
    packed = relax.const(pack_b1_weights(weight, find_variant("b1_gemm", path)))
    return _gemm("b1_gemm", inputs, packed, attributes, k=int(attributes["k"]), n=weight.shape[0])


def _linear(inputs: Sequence[Any], attributes: Attributes, path: str) -> Any:
    weight = _array(inputs[1])
    packed = relax.const(pack_f32_weights(weight, find_variant("f32_gemm", path)))
    return _gemm("f32_gemm", inputs, packed, attributes, k=weight.shape[1], n=weight.shape[0])


def _matmul(inputs: Sequence[Any], attributes: Attributes, _path: str) -> Any:
    return kernel_op(
        "f32_matmul",
        inputs,
        names=["a", "b", *_words(attributes, "operands")],
        results=_results(attributes, _shape(inputs[0])[:-1], _shape(inputs[1])[-1]),
        label=attributes["tvm_custom"]["name"],
        pool=int(attributes["pool"]),
    )


def _gemm(kernel: str, inputs: Sequence[Any], packed: Any, attributes: Attributes, *, k: int, n: int) -> Any:
    rows = _shape(inputs[0])[:-1]
    return kernel_op(
        kernel,
        [inputs[0], packed, *inputs[2:]],
        names=["a", "w", *_words(attributes, "operands")],
        results=_results(attributes, rows, n),
        label=attributes["tvm_custom"]["name"],
        k=k,
        n=n,
        pool=int(attributes["pool"]),
    )


def _rows(inputs: Sequence[Any], attributes: Attributes, _path: str) -> Any:
    *rows, columns = _shape(inputs[0])
    return kernel_op(
        "rows",
        inputs,
        names=["x", *_words(attributes, "operands")],
        results=_results(attributes, tuple(rows), columns),
        label=attributes["tvm_custom"]["name"],
        pool=int(attributes["pool"]),
    )


def _stencil(inputs: Sequence[Any], attributes: Attributes, _path: str) -> Any:
    return kernel_op(
        "f32_stencil",
        inputs,
        names=["x", "taps", "bias", "skip"][: len(inputs)],
        results=[Buffer("y", _shape(inputs[0]), "float32")],
        label=attributes["tvm_custom"]["name"],
        circular=int(attributes["circular"]),
    )


def _attention(inputs: Sequence[Any], attributes: Attributes, _path: str) -> Any:
    heads, head_dim = int(attributes["heads"]), int(attributes["head_dim"])
    batch, tokens, _ = _shape(inputs[0])
    return kernel_op(
        "b1_attention",
        inputs,
        names=["q", "k", "v", "exp_table", "limit"],
        results=[Buffer("context", (batch, tokens, heads * head_dim), "int32")],
        label=attributes["tvm_custom"]["name"],
        heads=heads,
        head_dim=head_dim,
    )


def _results(attributes: Attributes, rows: tuple[int, ...], columns: int) -> list[Buffer]:
    pool = int(attributes["pool"])
    shapes = {"out": Buffer("out", (*rows, columns // pool), "float32")}
    return [
        shapes.get(name, Buffer(name, (*rows, bit_row_bytes(columns)), "uint8"))
        for name in _words(attributes, "results")
    ]


def _words(attributes: Attributes, name: str) -> list[str]:
    value = attributes[name]
    return words(value.decode() if isinstance(value, bytes) else value)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in value.ty.shape)


def _array(value: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = value.value.numpy()
    return array
