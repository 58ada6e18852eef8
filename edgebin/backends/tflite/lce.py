"""Larq Compute Engine's ops as it defines them, and what it would get silently wrong refused.

Bits are int32 words, 32 channels each, bit 1 for negative: the convention of kernels/include/edgebin.h but for the
length of rows, ceil(channels / 32) words. Source: larq/compute-engine 0.16.0, its kernels and its converter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from edgebin.backends.tflite.graph import Graph, Tensor
from edgebin.errors import UnsupportedOp

WORD_BITS = 32
# The wheel's ARM kernels count in 16 bits below this, and their 32-bit kernel reads beyond rows of some lengths.
_LARGEST_K = 65535 - 512
# ARM kernels work on blocks of so many bits; shorter rows are padded to them.
_BLOCK_BITS = 128

Negative = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Window:
    """How a convolution moves over its image. `pad_value` is what surrounds it: 0, or 1 as LCE's own models have it."""

    stride: int = 1
    dilation: int = 1
    padding: int = tflite.Padding.VALID
    pad_value: int = 0

    @property
    def pads_zeros(self) -> bool:
        """Whether taps outside the image count nothing."""
        return self.padding == tflite.Padding.SAME and self.pad_value == 0

    def extents(self, kernel: Sequence[int]) -> list[int]:
        """Rows and columns that a kernel spans."""
        return [(size - 1) * self.dilation + 1 for size in kernel]


def words(channels: int) -> int:
    """Words of a row of so many bits."""
    return -(-channels // WORD_BITS)


def pack_words(negative: Negative) -> npt.NDArray[np.int32]:
    """[..., channels] → int32 [..., words]."""
    channels = negative.shape[-1]
    padding = [(0, 0)] * (negative.ndim - 1) + [(0, -channels % WORD_BITS)]
    packed = np.packbits(np.pad(negative, padding), axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<i4")


def quantize(graph: Graph, x: Tensor) -> Tensor:
    """The signs of x, bit = x < 0."""
    *rows, channels = x.shape
    return graph.add("LceQuantize", [x], (*rows, words(channels)), dtype=np.int32, custom=True, channels=channels)


def dequantize(graph: Graph, bits: Tensor) -> Tensor:
    """Bits as ±1."""
    assert bits.channels is not None
    return graph.add("LceDequantize", [bits], (*bits.shape[:-1], bits.channels), custom=True)


def max_pool(graph: Graph, bits: Tensor, size: int, stride: int) -> Tensor:
    """The largest sign in each window of an image of bits, without padding."""
    batch, height, width, row = bits.shape
    shape = (batch, (height - size) // stride + 1, (width - size) // stride + 1, row)
    options: dict[str, Any] = {"padding": tflite.Padding.VALID, "filter_height": size, "filter_width": size}
    options |= {"stride_height": stride, "stride_width": stride}
    return graph.add("LceBMaxPool2d", [bits], shape, dtype=np.int32, custom=True, channels=bits.channels, **options)


def convolution(
    graph: Graph, bits: Tensor, negative: Negative, multiplier: npt.ArrayLike, bias: npt.ArrayLike, window: Window
) -> Tensor:
    """Float image [B, H, W, N] = dot · multiplier + bias of bits [B, H, W, words] and weights [N, kh, kw, depth].

    Raises:
        UnsupportedOp: LCE has no such convolution, or computes another.
    """
    shape = _checked(graph, bits, negative, window)
    assert bits.channels is not None
    name, outputs = graph.node, len(negative)
    vectors = [
        graph.constant(f"{name}.{label}", np.broadcast_to(np.asarray(values, np.float32), outputs))
        for label, values in (("multiplier", multiplier), ("bias", bias))
    ]
    inputs = [bits, graph.constant(f"{name}.filter", pack_words(negative)), *vectors, None]
    return graph.add("LceBconv2d", inputs, (*shape, outputs), custom=True, **_options(bits.channels, window))


def packed_convolution(
    graph: Graph, bits: Tensor, negative: Negative, thresholds: npt.NDArray[np.int32], window: Window
) -> Tensor:
    """The same with bits as result, bit = popcount(bits ^ weights) > threshold; `output_thresholds` makes these.

    Raises:
        UnsupportedOp: LCE has no such convolution, or computes another.
    """
    shape = _checked(graph, bits, negative, window)
    assert bits.channels is not None
    if window.pads_zeros:
        raise _refusal(graph, "LCE cannot pad with zeros where the result is bits")
    name, outputs = graph.node, len(negative)
    filters = graph.constant(f"{name}.filter", pack_words(negative))
    inputs = [bits, filters, None, None, graph.constant(f"{name}.thresholds", thresholds.astype(np.int32))]
    options = _options(bits.channels, window)
    return graph.add(
        "LceBconv2d", inputs, (*shape, words(outputs)), dtype=np.int32, custom=True, channels=outputs, **options
    )


def supports(image: Sequence[int], channels: int, negative_shape: Sequence[int], window: Window) -> str | None:
    """Why LCE cannot compute a convolution of an image of these rows, columns and channels, if it cannot."""
    outputs, *kernel, depth = negative_shape
    groups = channels // depth if depth else 0
    if groups * depth != channels or outputs % max(groups, 1):
        return f"{channels} channels do not split into groups of {depth} for {outputs} outputs"
    if groups > 1 and depth % WORD_BITS:
        return f"LCE's groups are multiples of {WORD_BITS} channels, not {depth}"
    if int(np.prod(kernel)) * channels > _LARGEST_K:
        return f"rows of {int(np.prod(kernel)) * channels} bits overflow LCE's 16-bit counts"
    if window.pad_value not in (0, 1):
        return f"LCE pads with 0 or 1, not {window.pad_value}"
    if not window.pads_zeros:
        return None
    if channels % 2:
        return f"LCE's reference kernel does not surround an odd number of channels, {channels}, with zeros"
    extents = window.extents(kernel)
    if any(extent > size for extent, size in zip(extents, image, strict=True)):
        # Measured on 0.16.0: right up to the size of the image, wrong for all beyond; the reference kernel is right.
        return f"LCE's fast kernels pad wrongly where a kernel of {extents} pixels is larger than its image"
    return None


def _checked(graph: Graph, bits: Tensor, negative: Negative, window: Window) -> tuple[int, int, int]:
    """Images, rows and columns of the result."""
    if bits.channels is None or len(bits.shape) != 4 or bits.shape[-1] != words(bits.channels):
        raise _refusal(graph, "LceBconv2d takes images of bits, rows of 32-bit words")
    if reason := supports(bits.shape[1:3], bits.channels, negative.shape, window):
        raise _refusal(graph, reason)
    k = int(np.prod(negative.shape[1:]))
    if negative.shape[-1] != bits.channels:
        graph.warn("channels in groups, which LCE runs with `use_indirect_bgemm` or `use_reference_bconv` only")
    if k % _BLOCK_BITS:
        graph.warn(f"rows of {k} bits, which LCE pads to a multiple of {_BLOCK_BITS} on ARM")
    batch, *sizes, _ = bits.shape
    if window.padding == tflite.Padding.VALID:
        sizes = [size - extent + 1 for size, extent in zip(sizes, window.extents(negative.shape[1:3]), strict=True)]
    height, width = (-(-size // window.stride) for size in sizes)
    return batch, height, width


def _options(channels: int, window: Window) -> dict[str, Any]:
    return {
        "channels_in": channels,
        "dilation_height_factor": window.dilation,
        "dilation_width_factor": window.dilation,
        "fused_activation_function": tflite.ActivationFunctionType.NONE,
        "pad_values": window.pad_value,
        "padding": window.padding,
        "stride_height": window.stride,
        "stride_width": window.stride,
    }


def _refusal(graph: Graph, reason: str) -> UnsupportedOp:
    return UnsupportedOp(graph.node, reason, hint="without --lce-only it becomes an op of edgebin")
