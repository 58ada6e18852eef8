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
from edgebin.backends.tflite.binary_layers import as_pixels
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
    options = {name: attribute.value for name, attribute in node.attributes.items()}
    inputs: list[Tensor | None] = [None if value is None else t.tensor(value) for value in node.inputs]
    t.graph.operators.append(Operator(PREFIX + node.op_type, inputs, outputs, options, True, t.graph.node))
    return outputs


def _binary_linear(t: Translation, node: ir.Node) -> list[Tensor]:
    bits, k, rows = t.tensor(node.inputs[0]), attribute(node, "k", 0), required(t, node, 1)
    epilogue = read_epilogue(node)
    negative = unpack_bits(rows, k)[:, None, None, :]
    if not _is_lce(node, epilogue, k, len(rows)) or lce.supports(k, negative.shape, lce.Window()):
        return custom(t, node)
    pixels = _of_channels(as_pixels(t.graph, bits), k)
    return [_shaped(t, node, _product(t, pixels, negative, epilogue, lce.Window()))]


def _binary_conv(t: Translation, node: ir.Node) -> list[Tensor]:
    epilogue, weight = read_epilogue(node), required(t, node, 1)
    kernel, groups, channels, dilation = (
        attribute(node, name, 1) for name in ("kernel", "groups", "channels", "dilation")
    )
    depth = channels // groups
    negative = unpack_bits(weight, kernel * kernel * depth).reshape(-1, kernel, kernel, depth)
    padding = tflite.Padding.VALID if kernel == 1 else tflite.Padding.SAME
    window = lce.Window(dilation=dilation, padding=padding, pad_value=0)
    # Our images are surrounded by zeros, which LCE has for an even number of channels and floats as result only.
    surrounded = kernel > 1 and (epilogue.thresholds or channels % 2)
    if (
        surrounded
        or not _is_lce(node, epilogue, channels, len(weight))
        or lce.supports(channels, negative.shape, window)
    ):
        return custom(t, node)
    pixels = _of_channels(t.tensor(node.inputs[0]), channels)
    return [_shaped(t, node, _product(t, pixels, negative, epilogue, window))]


def _is_lce(node: ir.Node, epilogue: Epilogue, channels: int, outputs: int) -> bool:
    if epilogue.pool != 1 or len(node.outputs) != 1 or len(epilogue.thresholds) > 1 or not _words_agree(channels):
        return False
    return epilogue.stages in (_BITS if epilogue.thresholds else _FLOATS) and (
        not epilogue.thresholds or _words_agree(outputs)
    )


def _words_agree(channels: int) -> bool:
    """Whether a row of 64-bit words is as long in 32-bit words."""
    return not 1 <= channels % 64 <= lce.WORD_BITS


def _product(t: Translation, pixels: Tensor, negative: lce.Negative, epilogue: Epilogue, window: lce.Window) -> Tensor:
    outputs, k = len(negative), int(np.prod(negative.shape[1:]))
    scale = np.ones(outputs) if epilogue.scale is None else epilogue.scale
    bias = np.zeros(outputs) if epilogue.bias is None else epilogue.bias
    if not epilogue.thresholds:
        return lce.convolution(t.graph, pixels, negative, scale, bias, window)
    vectors = [vector.astype(np.float32) for vector in (scale, bias, epilogue.thresholds[0])]
    flip, thresholds = output_thresholds(k, *vectors)
    return lce.packed_convolution(t.graph, pixels, negative ^ flip[:, None, None, None], thresholds, window)


def _of_channels(bits: Tensor, channels: int) -> Tensor:
    """The same words, of which only so many bits count: a reading of the tensor, not another one."""
    bits.channels = channels
    return bits


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
