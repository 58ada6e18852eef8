"""Concept ops of an exported model → LCE's ops and builtin ops alone: `lce_only`.

SignPack(x, threshold)      →   LceQuantize(x − threshold)
BinaryLinear                →   LceBconv2d 1×1
SignPack(BinaryLinear)      →   LceBconv2d with bits as result, where nobody else reads the floats
TernaryLinear               →   (½ LceBconv2d(negative) + ½ LceBconv2d(not_positive)) · scale + bias
BinaryConv2d                →   LceBconv2d, padded with zeros; CONV_2D of ±1 where LCE has no such one
SignedLinear                →   FULLY_CONNECTED with weights of ±1
PlusStencil                 →   DEPTHWISE_CONV_2D
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import tflite

from edgebin.backends.tflite import elementwise, lce
from edgebin.backends.tflite.conv import window_options
from edgebin.backends.tflite.graph import Graph, Tensor
from edgebin.backends.tflite.shape_ops import cut, reshape
from edgebin.backends.tflite.thresholds import output_thresholds
from edgebin.backends.tflite.translate import Conversion, Translation, attribute, required
from edgebin.kernels.packing import unpack_bits
from edgebin.nn.ops import STENCIL_OFFSETS
from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import only_user

_SMALLEST_NORMAL = np.finfo(np.float32).tiny
_STENCIL_REACH = 2
CONV_ATTRIBUTES = ("kernel", "dilation", "groups", "channels")


def sign_pack(t: Translation, node: ir.Node) -> Tensor:
    """Bits of x < threshold. x + (−threshold) has the sign of the difference, and is never −0 where they are equal."""
    x, threshold = t.tensor(node.inputs[0]), required(t, node, 1)
    if x.channels is not None:
        return x  # the layer before has packed its result itself
    if ((threshold != 0) & (np.abs(threshold) < _SMALLEST_NORMAL)).any():
        raise t.refuse("a threshold is denormal, and TFLite's runtimes take denormal numbers for 0")
    if threshold.any():
        offset = t.graph.constant(f"{t.graph.node}.offset", -threshold)
        x = t.graph.add("ADD", [x, offset], x.shape)
    return lce.quantize(t.graph, x)


def _binary_linear(t: Translation, node: ir.Node) -> Tensor:
    k = attribute(node, "k", 0)
    bits = bits_of(t, node, 0, k)
    negative = unpack_bits(required(t, node, 1), k)[:, None, None, :]
    scale, bias = required(t, node, 2), required(t, node, 3)
    packer = only_user(node.outputs[0], "SignPack")
    if packer is not None:
        flip, thresholds = output_thresholds(k, scale, bias, required(t, packer, 1))
        flipped = negative ^ flip[:, None, None, None]
        result = lce.packed_convolution(t.graph, as_pixels(t.graph, bits), flipped, thresholds, lce.Window())
    else:
        result = lce.convolution(t.graph, as_pixels(t.graph, bits), negative, scale, bias, lce.Window())
    return reshape(t.graph, result, (*bits.shape[:-1], result.shape[-1]))


def bits_of(t: Translation, node: ir.Node, index: int, channels: int) -> Tensor:
    """An input of so many bits in a row.

    Raises:
        UnsupportedOp: its rows hold other bits, so that there is padding among them.
    """
    bits = t.tensor(node.inputs[index])
    if bits.channels != channels:
        raise t.refuse(f"rows of {channels} bits are read from rows of {bits.channels}")
    return bits


def as_pixels(graph: Graph, bits: Tensor) -> Tensor:
    """Rows of bits as an image one pixel wide, for LCE takes nothing else."""
    return reshape(graph, bits, (1, int(np.prod(bits.shape[:-1])), 1, bits.shape[-1]))


def _ternary_linear(t: Translation, node: ir.Node) -> Tensor:
    k = attribute(node, "k", 0)
    planes = [bits_of(t, node, index, k) for index in (0, 1)]
    weight = unpack_bits(required(t, node, 2), k)[:, None, None, :]
    halves = [lce.convolution(t.graph, as_pixels(t.graph, plane), weight, 0.5, 0.0, lce.Window()) for plane in planes]
    # Half of an integer is exact, and so is the sum.
    exact = t.graph.add("ADD", halves, halves[0].shape)
    scaled = t.graph.add("MUL", [exact, t.tensor(node.inputs[3])], exact.shape)
    result = t.graph.add("ADD", [scaled, t.tensor(node.inputs[4])], exact.shape)
    return reshape(t.graph, result, (*planes[0].shape[:-1], len(weight)))


def _binary_conv(t: Translation, node: ir.Node) -> Tensor:
    kernel, dilation, groups, channels = (attribute(node, name, 1) for name in CONV_ATTRIBUTES)
    bits = bits_of(t, node, 0, channels)
    depth = channels // groups
    negative = unpack_bits(required(t, node, 1), kernel * kernel * depth).reshape(-1, kernel, kernel, depth)
    scale, bias = required(t, node, 2), required(t, node, 3)
    window = lce.Window(dilation=dilation, padding=tflite.Padding.SAME, pad_value=0)
    if lce.supports(bits.shape[1:3], channels, negative.shape, window) is None:
        return lce.convolution(t.graph, bits, negative, scale, bias, window)
    signs = lce.dequantize(t.graph, bits)
    exact = _float_convolution(t.graph, signs, np.where(negative, -1, 1).astype(np.float32), groups, dilation)
    scaled = t.graph.add("MUL", [exact, t.tensor(node.inputs[2])], exact.shape)
    return t.graph.add("ADD", [scaled, t.tensor(node.inputs[3])], exact.shape)


def _float_convolution(graph: Graph, x: Tensor, filters: npt.NDArray[np.float32], groups: int, dilation: int) -> Tensor:
    """A convolution padded with zeros, group by group: TFLite's own groups are its slow reference kernel."""
    outputs, depth = len(filters) // groups, filters.shape[-1]
    zeros = graph.constant(f"{graph.node}.no_bias", np.zeros(outputs, np.float32))
    parts = []
    for group in range(groups):
        part = cut(graph, x, (0, 0, 0, group * depth), (*x.shape[:-1], depth))
        rows = graph.constant(f"{graph.node}.filter{group}", filters[group * outputs : (group + 1) * outputs])
        options = window_options(tflite.Padding.SAME, dilations=(dilation, dilation))
        parts.append(graph.add("CONV_2D", [part, rows, zeros], (*x.shape[:-1], outputs), **options))
    if groups == 1:
        return parts[0]
    return graph.add("CONCATENATION", parts, (*x.shape[:-1], len(filters)), Axis=len(x.shape) - 1)


def _signed_linear(t: Translation, node: ir.Node) -> Tensor:
    x, k = t.tensor(node.inputs[0]), attribute(node, "k", 0)
    graph = t.graph
    signs = np.where(unpack_bits(required(t, node, 1), k), -1, 1).astype(np.int8)
    rows = graph.constant(f"{graph.node}.signs", signs, scales=np.ones(1, np.float32))
    weight = graph.add("DEQUANTIZE", [rows], signs.shape)
    y = graph.add("FULLY_CONNECTED", [x, weight, None], (*x.shape[:-1], len(signs)), KeepNumDims=len(x.shape) > 2)
    scaled = graph.add("MUL", [y, t.tensor(node.inputs[2])], y.shape)
    return graph.add("ADD", [scaled, t.tensor(node.inputs[3])], y.shape)


def _plus_stencil(t: Translation, node: ir.Node) -> Tensor:
    x, taps = t.tensor(node.inputs[0]), required(t, node, 1)
    size = 2 * _STENCIL_REACH + 1
    filters = np.zeros((1, size, size, x.shape[-1]), np.float32)
    for (row, column), tap in zip(STENCIL_OFFSETS, taps, strict=True):
        filters[0, row + _STENCIL_REACH, column + _STENCIL_REACH] = tap
    padding = tflite.Padding.SAME
    shape = static_shape(node.outputs[0])
    if attribute(node, "circular", 0):
        padding = tflite.Padding.VALID
        for axis in (1, 2):
            around = np.arange(-_STENCIL_REACH, x.shape[axis] + _STENCIL_REACH) % x.shape[axis]
            positions = t.graph.constant(f"{t.graph.node}.around", around.astype(np.int32))
            wrapped = [len(around) if number == axis else length for number, length in enumerate(x.shape)]
            x = t.graph.add("GATHER", [x, positions], wrapped, Axis=axis)
    rows = t.graph.constant(f"{t.graph.node}.filter", filters)
    inputs = [x, rows, t.tensor(node.inputs[2])]
    return t.graph.add("DEPTHWISE_CONV_2D", inputs, shape, DepthMultiplier=1, **window_options(padding))


TABLE: dict[str, Conversion] = {
    "SignPack": sign_pack,
    "BinaryLinear": _binary_linear,
    "TernaryLinear": _ternary_linear,
    "BinaryConv2d": _binary_conv,
    "SignedLinear": _signed_linear,
    "PlusStencil": _plus_stencil,
    "RPReLU": elementwise.rprelu,
}
