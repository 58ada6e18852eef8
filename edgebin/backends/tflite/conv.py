"""Convolutions and pools → CONV_2D and its like, between transposes to and from TFLite's channels-last images.

`views` then cancels the transposes with what stands round them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
import tflite

from edgebin.backends.tflite.graph import Graph, Tensor
from edgebin.backends.tflite.shape_ops import pad, transpose
from edgebin.backends.tflite.translate import Conversion, Translation, attribute, required

_CHANNELS_LAST = (0, 2, 3, 1)
_CHANNELS_FIRST = (0, 3, 1, 2)


def _conv(t: Translation, node: ir.Node) -> Tensor:
    weight = required(t, node, 1)
    groups, strides = attribute(node, "group", 1), _pair(node, "strides", 1)
    dilations = _pair(node, "dilations", 1)
    x = _image(t, node)
    outputs, depth, *kernel = weight.shape
    extent = [(size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True)]
    x, padding = _padded(t.graph, x, _pads(t, node), extent, strides)
    shape = _window_shape(x, extent, strides, outputs, padding)
    options = window_options(padding, strides, dilations)
    kind, filters = "CONV_2D", weight.transpose(0, 2, 3, 1)
    if depth == 1 and groups == x.shape[-1] and groups > 1:
        kind, filters = "DEPTHWISE_CONV_2D", weight.transpose(1, 2, 3, 0)
        options["DepthMultiplier"] = outputs // groups
    # The bias of a convolution is not optional in TFLite.
    zeros = t.graph.constant(f"{t.graph.node}.bias", np.zeros(outputs, np.float32))
    bias = t.tensor(node.inputs[2]) if len(node.inputs) > 2 else zeros
    rows = t.graph.constant(f"{t.graph.node}.weight", filters)
    y = t.graph.add(kind, [x, rows, bias], shape, **options)
    return transpose(t.graph, y, _CHANNELS_FIRST)


def _average_pool(t: Translation, node: ir.Node) -> Tensor:
    # TFLite leaves padding out of its means: only where ONNX counts it, or there is none, do they agree.
    if any(_pads(t, node)) and not attribute(node, "count_include_pad", 0):
        raise t.refuse("AveragePool leaves its padding out of the mean")
    return _pool(t, node, "AVERAGE_POOL_2D", 0.0)


def _max_pool(t: Translation, node: ir.Node) -> Tensor:
    if _pair(node, "dilations", 1) != [1, 1] or len(node.outputs) > 1:
        raise t.refuse("MaxPool is dilated, or tells positions")
    return _pool(t, node, "MAX_POOL_2D", float(np.finfo(np.float32).min))


def _pool(t: Translation, node: ir.Node, kind: str, outside: float) -> Tensor:
    if attribute(node, "ceil_mode", 0):
        raise t.refuse("a pool rounds sizes up")
    kernel, strides, pads = _pair(node, "kernel_shape", 1), _pair(node, "strides", 1), _pads(t, node)
    x = _image(t, node)
    x = pad(t.graph, x, [(0, 0), (pads[0], pads[2]), (pads[1], pads[3]), (0, 0)], outside)
    shape = _window_shape(x, kernel, strides, x.shape[-1], tflite.Padding.VALID)
    options: dict[str, Any] = {"Padding": tflite.Padding.VALID, "StrideH": strides[0], "StrideW": strides[1]}
    y = t.graph.add(kind, [x], shape, FilterHeight=kernel[0], FilterWidth=kernel[1], **options)
    return transpose(t.graph, y, _CHANNELS_FIRST)


def window_options(padding: int, strides: Sequence[int] = (1, 1), dilations: Sequence[int] = (1, 1)) -> dict[str, Any]:
    """How a convolution moves over its image."""
    names = ("StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
    return {"Padding": padding, **dict(zip(names, (*strides, *dilations), strict=True))}


def _image(t: Translation, node: ir.Node) -> Tensor:
    x = t.tensor(node.inputs[0])
    if len(x.shape) != 4:
        raise t.refuse(f"{node.op_type} of {len(x.shape)} axes")
    return transpose(t.graph, x, _CHANNELS_LAST)


def _pair(node: ir.Node, name: str, default: int) -> list[int]:
    return [int(size) for size in attribute(node, name, (default, default))]


def _pads(t: Translation, node: ir.Node) -> list[int]:
    """Rows above, columns left, rows below, columns right."""
    if attribute(node, "auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise t.refuse(f"auto_pad of {node.op_type}")
    return [int(width) for width in attribute(node, "pads", (0, 0, 0, 0))]


def _padded(
    graph: Graph, x: Tensor, pads: Sequence[int], extent: Sequence[int], strides: Sequence[int]
) -> tuple[Tensor, int]:
    """x, padded where the kernel's own padding does not say the same, and that padding."""
    if not any(pads):
        return x, tflite.Padding.VALID
    same = []
    for size, window, stride in zip(x.shape[1:3], extent, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        same.append((total // 2, total - total // 2))
    sides = [(pads[0], pads[2]), (pads[1], pads[3])]
    if same == sides:
        return x, tflite.Padding.SAME
    return pad(graph, x, [(0, 0), *sides, (0, 0)]), tflite.Padding.VALID


def _window_shape(
    x: Tensor, extent: Sequence[int], strides: Sequence[int], channels: int, padding: int
) -> tuple[int, ...]:
    batch, *sizes, _ = x.shape
    if padding == tflite.Padding.VALID:
        sizes = [size - window + 1 for size, window in zip(sizes, extent, strict=True)]
    return (batch, *(-(-size // stride) for size, stride in zip(sizes, strides, strict=True)), channels)


TABLE: dict[str, Conversion] = {"Conv": _conv, "AveragePool": _average_pool, "MaxPool": _max_pool}
