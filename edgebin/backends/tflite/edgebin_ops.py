"""Fused ops of a lowered model → edgebin's custom ops, or LCE's where these say exactly the same.

`EdgebinFusedBinaryLinear` and its like have the inputs of the ONNX node in their order and its attributes as a
flexbuffer map. A binary product becomes an LceBconv2d if its epilogue is scale and bias → floats or one threshold →
bits, and the rows of bits are as long in LCE's words as in ours.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import tflite

from edgebin.backends.tflite import lce
from edgebin.backends.tflite.binary_layers import CONV_ATTRIBUTES, as_pixels
from edgebin.backends.tflite.graph import Operator, Tensor
from edgebin.backends.tflite.shape_ops import reshape
from edgebin.backends.tflite.thresholds import output_thresholds
from edgebin.backends.tflite.translate import Conversion, Translation, attribute, required, word_shape
from edgebin.kernels.packing import unpack_bits
from edgebin.passes.epilogue import Epilogue
from edgebin.passes.fused import LEADING_INPUTS, read_epilogue

PREFIX = "Edgebin"
_FLOATS = {frozenset(), frozenset({"scale"}), frozenset({"bias"}), frozenset({"scale", "bias"})}
_BITS = {stages | {"thresholds"} for stages in _FLOATS}


def custom(t: Translation, node: ir.Node) -> list[Tensor]:
    """The node as a custom op of the same inputs and attributes."""
    outputs = []
    for value in node.outputs:
        shape, dtype, channels = word_shape(value)
        outputs.append(Tensor(value.name or node.op_type, shape, dtype, channels=channels))
    options = {name: field.value for name, field in node.attributes.items()}
    inputs: list[Tensor | None] = [None if value is None else t.tensor(value) for value in node.inputs]
    t.graph.operators.append(Operator(PREFIX + node.op_type, inputs, outputs, options, True, t.graph.node))
    return outputs


def _binary_linear(t: Translation, node: ir.Node) -> list[Tensor]:
    k, epilogue = attribute(node, "k", 0), read_epilogue(node)
    negative = unpack_bits(required(t, node, 1), k)[:, None, None, :]
    pixels = as_pixels(t.graph, t.tensor(node.inputs[0]))
    return _product(t, node, pixels, k, negative, epilogue, lce.Window())


def _binary_conv(t: Translation, node: ir.Node) -> list[Tensor]:
    epilogue, rows = read_epilogue(node), required(t, node, 1)
    kernel, dilation, groups, channels = (attribute(node, name, 1) for name in CONV_ATTRIBUTES)
    depth = channels // groups
    negative = unpack_bits(rows, kernel * kernel * depth).reshape(-1, kernel, kernel, depth)
    padding = tflite.Padding.VALID if kernel == 1 else tflite.Padding.SAME
    window = lce.Window(dilation=dilation, padding=padding, pad_value=0)
    return _product(t, node, t.tensor(node.inputs[0]), channels, negative, epilogue, window)


def _product(
    t: Translation, node: ir.Node, pixels: Tensor, channels: int, negative: lce.Negative, epilogue: Epilogue,
    window: lce.Window,
) -> list[Tensor]:  # fmt: skip
    outputs, k = len(negative), int(np.prod(negative.shape[1:]))
    if not _is_lce(node, epilogue, channels, outputs, window) or lce.supports(
        pixels.shape[1:3], channels, negative.shape, window
    ):
        return custom(t, node)
    bits = Tensor(pixels.name, pixels.shape, pixels.dtype, channels=channels)
    scale = np.ones(outputs) if epilogue.scale is None else epilogue.scale
    bias = np.zeros(outputs) if epilogue.bias is None else epilogue.bias
    if epilogue.thresholds:
        vectors = [vector.astype(np.float32) for vector in (scale, bias, epilogue.thresholds[0])]
        flip, thresholds = output_thresholds(k, *vectors)
        flipped = negative ^ flip[:, None, None, None]
        result = lce.packed_convolution(t.graph, bits, flipped, thresholds, window)
    else:
        result = lce.convolution(t.graph, bits, negative, scale, bias, window)
    operator = t.graph.operators[-1]
    operator.inputs[0] = pixels  # the same words, of which LCE is told how many bits count
    if "variant" in node.attributes:  # for our delegate; LCE reads the keys that it knows
        operator.options = {**operator.options, "variant": node.attributes["variant"].as_string()}
    return [_shaped(t, node, result)]


def _is_lce(node: ir.Node, epilogue: Epilogue, channels: int, outputs: int, window: lce.Window) -> bool:
    """Whether the epilogue is one of LCE's, and rows of bits are as long in its words as in ours."""
    if epilogue.pool != 1 or len(node.outputs) != 1 or not _words_agree(channels):
        return False
    if not epilogue.thresholds:
        return epilogue.stages in _FLOATS
    return epilogue.stages in _BITS and _words_agree(outputs) and not window.pads_zeros


def _words_agree(channels: int) -> bool:
    """Whether a row of 64-bit words is as long in 32-bit words."""
    return not 1 <= channels % 64 <= lce.WORD_BITS


def _shaped(t: Translation, node: ir.Node, result: Tensor) -> Tensor:
    shape, _, channels = word_shape(node.outputs[0])
    shaped = reshape(t.graph, result, shape)
    shaped.channels = channels
    return shaped


def _rows(t: Translation, node: ir.Node) -> list[Tensor]:
    """Packing without a threshold is LceQuantize."""
    epilogue, x = read_epilogue(node), t.tensor(node.inputs[0])
    one = epilogue.stages == {"thresholds"} and len(epilogue.thresholds) == 1 and not epilogue.stores_out
    if not one or epilogue.thresholds[0].any() or x.dtype != np.float32 or not _words_agree(x.shape[-1]):
        return custom(t, node)
    return [_shaped(t, node, lce.quantize(t.graph, x))]


TABLE: dict[str, Conversion] = {
    **dict.fromkeys(LEADING_INPUTS, custom),
    **dict.fromkeys(("FusedStencil", "BinaryAttention", "RelativeAttention", "BiasedAttention"), custom),
    "FusedBinaryLinear": _binary_linear,
    "FusedBinaryConv": _binary_conv,
    "FusedRows": _rows,
}
