"""ONNX with fused ops → a Relax module, each kernel call with a variant and its weights in the panels of that.

TVM's importer looks converters up by op type alone and has no public hook for more, so `imported` puts ours beside its
own for the duration of one import. That is the only place that touches a private name of TVM.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from tvm import relax
from tvm.relax.frontend.onnx import onnx_frontend

from edgebin.backends.tvm.glue import Buffer
from edgebin.backends.tvm.node_names import CHIEF_OPS, variable_name
from edgebin.backends.tvm.relax_ops import kernel_op
from edgebin.errors import UnsupportedOp
from edgebin.kernels.layout import pack_b1_weights, pack_conv_weights, pack_f32_weights, pack_w1_weights
from edgebin.kernels.variants import Variant, find_variant
from edgebin.passes.fused import words

Attributes = dict[str, Any]

_CONVOLUTION = ("kernel", "dilation", "groups", "channels")


def imported(model: onnx.ModelProto) -> Any:
    """The Relax module of a lowered model whose kernels have been chosen (`edgebin.passes.choose_kernels`).

    Raises:
        UnsupportedOp: neither edgebin nor TVM's importer knows one of the ops.
    """
    ours = {
        name: _converter(convert)
        for name, convert in {
            "FusedBinaryLinear": _binary_linear,
            "FusedTernaryLinear": _ternary_linear,
            "FusedSignedLinear": _signed_linear,
            "FusedBinaryConv": _binary_conv,
            "FusedLinear": _linear,
            "FusedMatMul": _matmul,
            "FusedRows": _rows,
            "FusedLayerNorm": _layer_norm,
            "FusedStencil": _stencil,
            "BinaryAttention": _attention,
            "RelativeAttention": _relative_attention,
            "BiasedAttention": _biased_attention,
        }.items()
    }
    _refuse_unknown_ops(model, ours)
    original = onnx_frontend._get_convert_map
    chief = {name: _named(original()[name], model.graph.node) for name in CHIEF_OPS}
    onnx_frontend._get_convert_map = lambda: {**original(), **chief, **ours}
    try:
        with warnings.catch_warnings():
            # The importer checks nodes against the schemas of exported files, which know of no variants.
            warnings.filterwarnings("ignore", "Unrecognized attribute: variant", UserWarning)
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


def _converter(convert: Callable[[Sequence[Any], Attributes], Any]) -> type:
    class Converter(onnx_frontend.OnnxOpConverter):  # type: ignore[misc]
        @classmethod
        def _impl_v1(cls, builder: Any, inputs: Any, attributes: Attributes, _params: Any) -> Any:
            return builder.emit(convert(list(inputs), attributes))

    return Converter


def _named(converter: type, nodes: Sequence[onnx.NodeProto]) -> type:
    """TVM's own converter, whose result is called after its node."""

    class Converter(converter):  # type: ignore[misc]
        @classmethod
        def get_converter(cls, opset: int) -> Callable[..., Any]:
            convert = super().get_converter(opset)

            def named(builder: Any, inputs: Any, attributes: Attributes, params: Any) -> Any:
                result = convert(builder, inputs, attributes, params)
                name = variable_name(nodes, attributes["tvm_custom"]["name"])
                return builder.emit(result, name) if name and isinstance(result, relax.Call) else result

            return named

    return Converter


def _binary_linear(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a, weights, *operands = inputs
    weight, k = _array(weights), int(attributes["k"])
    variant = _variant("b1_gemm", attributes)
    packed = relax.const(pack_b1_weights(weight, variant))
    return _call("b1_gemm", variant, [a, packed, *operands], ["a", "w"], attributes, n=weight.shape[0], k=k)


def _ternary_linear(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a, a2, weights, *operands = inputs
    weight, k = _array(weights), int(attributes["k"])
    variant = _variant("b1_gemm", attributes)
    packed = relax.const(pack_b1_weights(weight, variant))
    return _call("b1_gemm", variant, [a, packed, a2, *operands], ["a", "w", "a2"], attributes, n=weight.shape[0], k=k)


def _signed_linear(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a, weights, *operands = inputs
    weight, k = _array(weights), int(attributes["k"])
    variant = _variant("w1_gemm", attributes)
    packed = relax.const(pack_w1_weights(weight, k, variant))
    return _call("w1_gemm", variant, [a, packed, *operands], ["a", "w"], attributes, n=weight.shape[0], k=k)


def _binary_conv(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a, weights, *operands = inputs
    weight = _array(weights)
    kernel, dilation, groups, channels = (int(attributes[name]) for name in _CONVOLUTION)
    variant = _variant("b1_conv", attributes)
    packed = relax.const(pack_conv_weights(weight, groups, variant))
    return _call(
        "b1_conv",
        variant,
        [a, packed, *operands],
        ["a", "weights"],
        attributes,
        n=weight.shape[0],
        kernel_size=kernel,
        dilation=dilation,
        groups=groups,
        channels=channels,
    )


def _linear(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a, weights, *operands = inputs
    weight = _array(weights)
    n, k = weight.shape
    variant = _variant("f32_gemm", attributes)
    packed = relax.const(pack_f32_weights(weight, variant))
    return _call("f32_gemm", variant, [a, packed, *operands], ["a", "w"], attributes, n=n, k=k)


def _matmul(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return _call("f32_matmul", _variant("f32_gemm", attributes), inputs, ["a", "b"], attributes)


def _rows(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return _call("rows", _variant("rows", attributes), inputs, ["x"], attributes)


def _layer_norm(inputs: Sequence[Any], attributes: Attributes) -> Any:
    variant = _variant("layernorm", attributes)
    # TVM's attributes hold no float32: the bits of the number travel instead of it.
    bits = int(np.float32(attributes["epsilon"]).view(np.int32))
    return _call("layernorm", variant, inputs, ["x"], attributes, epsilon_bits=bits)


def _call(
    kernel: str, variant: Variant, inputs: Sequence[Any], leading: Sequence[str], attributes: Attributes, **sizes: int
) -> Any:
    """A kernel with an epilogue: `leading` names the inputs before its operands."""
    shapes = [tuple(map(int, shape.split("x"))) for shape in _words(attributes, "shapes")]
    results = [
        Buffer(name, shape, "uint8" if name.startswith("bits") else "float32")
        for name, shape in zip(_words(attributes, "results"), shapes, strict=True)
    ]
    return kernel_op(
        kernel,
        inputs,
        variant=variant,
        names=[*leading, *_words(attributes, "operands")],
        results=results,
        label=attributes["tvm_custom"]["name"],
        pool=int(attributes["pool"]),
        **{name: int(size) for name, size in sizes.items()},
    )


def _stencil(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return kernel_op(
        "f32_stencil",
        inputs,
        variant=_variant("f32_stencil", attributes),
        names=["x", "taps", "bias", "skip"][: len(inputs)],
        results=[Buffer("y", _shape(inputs[0]), "float32")],
        label=attributes["tvm_custom"]["name"],
        circular=int(attributes["circular"]),
    )


def _attention(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return _any_attention("b1_attention", inputs, ["exp_table", "limit"], attributes)


def _relative_attention(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return _any_attention("b1_relative_attention", inputs, [], attributes, drop=int(attributes["drop"]))


def _biased_attention(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return _any_attention("b1_biased_attention", inputs, ["bias", "scale", "margin"], attributes)


def _any_attention(
    kernel: str, inputs: Sequence[Any], tables: Sequence[str], attributes: Attributes, **options: int
) -> Any:
    heads, head_dim = int(attributes["heads"]), int(attributes["head_dim"])
    batch, tokens, _ = _shape(inputs[0])
    return kernel_op(
        kernel,
        inputs,
        variant=_variant(kernel, attributes),
        names=["q", "k", "v", *tables],
        results=[Buffer("context", (batch, tokens, heads * head_dim), "int32")],
        label=attributes["tvm_custom"]["name"],
        heads=heads,
        head_dim=head_dim,
        **options,
    )


def _variant(op: str, attributes: Attributes) -> Variant:
    return find_variant(op, _text(attributes, "variant"))


def _words(attributes: Attributes, name: str) -> list[str]:
    return words(_text(attributes, name))


def _text(attributes: Attributes, name: str) -> str:
    value = attributes[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in value.ty.shape)


def _array(value: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = value.value.numpy()
    return array
