"""Attention on bits → builtin ops, exactly: `lce_only`.

LceBconv2d packs its filter once, so it must never be given activations. Products of ±1 are whole numbers below 2**24,
which float BATCH_MATMUL has exactly; row sums of the exponential's table are int64, as the kernels' are.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import tflite

from edgebin.backends.tflite import lce
from edgebin.backends.tflite.binary_layers import bits_of
from edgebin.backends.tflite.graph import Graph, Tensor
from edgebin.backends.tflite.shape_ops import reshape, transpose
from edgebin.backends.tflite.translate import Conversion, Translation, attribute, required
from edgebin.passes.fused import Array

# Bits of a significand that a score of head_dim ≤ 248 leaves free in float32.
_HIGH_BITS = 12


def _heads(t: Translation, node: ir.Node, index: int, order: tuple[int, ...] = (0, 2, 1, 3)) -> Tensor:
    """An operand as ±1 [B, heads, tokens, head_dim], or [B, tokens, heads, head_dim] in another order."""
    heads, size = attribute(node, "heads", 0), attribute(node, "head_dim", 0)
    bits = bits_of(t, node, index, heads * size)
    batch, tokens, _ = bits.shape
    by_token = reshape(t.graph, lce.dequantize(t.graph, bits), (batch, tokens, heads, size))
    return transpose(t.graph, by_token, order)


def _scores(t: Translation, node: ir.Node) -> Tensor:
    q, k = _heads(t, node, 0), _heads(t, node, 1, (0, 2, 3, 1))
    return t.graph.add("BATCH_MATMUL", [q, k], (*q.shape[:-1], k.shape[-1]))


def _context(t: Translation, node: ir.Node, maps: Tensor) -> Tensor:
    v = _heads(t, node, 2)
    by_head = t.graph.add("BATCH_MATMUL", [maps, v], (*maps.shape[:-1], v.shape[-1]))
    batch, heads, tokens, size = by_head.shape
    by_token = transpose(t.graph, by_head, (0, 2, 1, 3))
    context = reshape(t.graph, by_token, (batch, tokens, heads * size))
    return t.graph.add("CAST", [context], context.shape, dtype=np.int32)


def _binary_attention(t: Translation, node: ir.Node) -> Tensor:
    """Limits do not fall with agree, so a row's map begins at an agree of its own: how many limits z has reached."""
    graph, name = t.graph, t.graph.node
    exp_table, limit = required(t, node, 3), required(t, node, 4)
    if (np.diff(limit, axis=-1) < 0).any():
        raise t.refuse("its limits fall")
    score, head_dim = _scores(t, node), attribute(node, "head_dim", 0)
    raised = graph.add("ADD", [score, _number(graph, head_dim)], score.shape)
    agree = graph.add("MUL", [raised, _number(graph, 0.5)], score.shape)
    index = graph.add("CAST", [agree], score.shape, dtype=np.int32)
    table = graph.constant(f"{name}.exp", exp_table)
    exponential = graph.add("GATHER", [table, index], score.shape, dtype=np.int64, Axis=0)
    rows = (*score.shape[:-1], 1)
    z = graph.add("SUM", [exponential, graph.ints([3])], rows, dtype=np.int64, KeepDims=True)
    maps = []
    for number, limits in enumerate(limit[:, :, None, :]):
        counted = (*score.shape[:-1], head_dim + 1)
        reached = graph.add(
            "LESS_EQUAL", [graph.constant(f"{name}.limit{number}", limits[None]), z], counted, dtype=np.bool_
        )
        ones = graph.add("CAST", [reached], counted)
        first = graph.add("SUM", [ones, graph.ints([3])], rows, KeepDims=True)
        maps.append(_at_least(graph, agree, first))
    active = maps[0]
    for other in maps[1:]:
        active = graph.add("ADD", [active, other], score.shape)
    return _context(t, node, active)


def _at_least(graph: Graph, x: Tensor, least: Tensor) -> Tensor:
    """1 where x >= least, else 0, for whole numbers: a comparison takes TFLite eight times as long."""
    below = graph.add("SUB", [least, _number(graph, 1)], least.shape)
    above = graph.add("SUB", [x, below], x.shape, FusedActivationFunction=tflite.ActivationFunctionType.RELU)
    return graph.add("MINIMUM", [above, _number(graph, 1)], x.shape)


def _relative_attention(t: Translation, node: ir.Node) -> Tensor:
    score = _scores(t, node)
    drop = _number(t.graph, 2 * attribute(node, "drop", 0))
    largest = _row_maximum(t.graph, score)
    least = t.graph.add("SUB", [largest, drop], largest.shape)
    return _context(t, node, _at_least(t.graph, score, least))


def _biased_attention(t: Translation, node: ir.Node) -> Tensor:
    """t = fma(score, scale, bias), map = t >= max(t) − margin."""
    graph, score = t.graph, _scores(t, node)
    bias, scale, margin = (required(t, node, index) for index in (3, 4, 5))
    groups, heads, queries, keys = bias.shape
    # Image b has the bias b % groups: images and heads share an axis, so that four axes are enough to broadcast.
    grouped = reshape(graph, score, (score.shape[0] // groups, groups * heads, queries, keys))
    total = fused_multiply_add(graph, grouped, scale.item(), bias.reshape(1, groups * heads, queries, keys))
    least = graph.add("SUB", [_row_maximum(graph, total), _number(graph, margin.item())], (*total.shape[:-1], 1))
    active = graph.add("GREATER_EQUAL", [total, least], total.shape, dtype=np.bool_)
    maps = graph.add("CAST", [active], active.shape)
    return _context(t, node, reshape(graph, maps, score.shape))


def fused_multiply_add(graph: Graph, score: Tensor, scale: float, bias: Array) -> Tensor:
    """score · scale + bias, rounded once, for whole scores below 2**12, in ops that each round once themselves.

    scale = high + low such that both products are exact. Their sum with bias is that of four floats without an error
    (two TwoSums, Knuth), of which only the last sum rounds twice: that can show in one case of 2**24.
    """
    name = graph.node
    significand, exponent = np.frexp(np.float32(scale))
    high = np.float32(np.ldexp(np.rint(np.ldexp(significand, _HIGH_BITS)), int(exponent) - _HIGH_BITS))
    addend = graph.constant(f"{name}.bias", bias.astype(np.float32))
    coarse = graph.add("MUL", [score, _number(graph, float(high))], score.shape)
    fine = graph.add("MUL", [score, _number(graph, float(np.float32(scale) - high))], score.shape)
    inner, inner_error = _two_sum(graph, fine, addend)
    outer, outer_error = _two_sum(graph, coarse, inner)
    error = graph.add("ADD", [inner_error, outer_error], score.shape)
    return graph.add("ADD", [outer, error], score.shape)


def _two_sum(graph: Graph, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The rounded sum and what rounding took away."""
    shape = a.shape
    total = graph.add("ADD", [a, b], shape)
    second = graph.add("SUB", [total, a], shape)
    first = graph.add("SUB", [total, second], shape)
    left = graph.add("SUB", [a, first], shape)
    right = graph.add("SUB", [b, second], shape)
    return total, graph.add("ADD", [left, right], shape)


def _row_maximum(graph: Graph, x: Tensor) -> Tensor:
    return graph.add("REDUCE_MAX", [x, graph.ints([3])], (*x.shape[:-1], 1), KeepDims=True)


def _number(graph: Graph, value: float) -> Tensor:
    return graph.constant(f"number.{value}", np.array(value, np.float32))


TABLE: dict[str, Conversion] = {
    "BinaryAttention": _binary_attention,
    "RelativeAttention": _relative_attention,
    "BiasedAttention": _biased_attention,
}
