"""What one ONNX node works on and what it costs: multiply-accumulates and weights.

Counted are the products that the published systems count: dense layers, convolutions, and the two products of an
attention. Norms, activations and sums of tensors count nothing, as in the papers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import onnx

from edgebin.graph.ops import DOMAIN
from edgebin.graph.shapes import StaticShapes


class Kind(StrEnum):
    """What a node works on.

    Of the products: BINARY is ±1 (or attention maps of {0, 1}) times ±1, TERNARY is {-1, 0, +1} times ±1,
    ONE_BIT_WEIGHT is floats times ±1, FULL_PRECISION is floats times floats.
    """

    BINARY = "binary"
    TERNARY = "ternary"
    ONE_BIT_WEIGHT = "1-bit weight"
    FULL_PRECISION = "full precision"
    PACKING = "packing"
    ELEMENTWISE = "elementwise"
    DATA_MOVEMENT = "data movement"


@dataclass(frozen=True)
class Cost:
    """`weights` is a number of values, `weight_bits` what they need: 1 each where binary, 32 where float."""

    kind: Kind
    macs: int = 0
    weights: int = 0
    weight_bits: int = 0


DATA_MOVEMENT = {
    *("Reshape", "Transpose", "Concat", "Slice", "Split", "Expand", "Squeeze", "Unsqueeze", "Flatten", "Gather"),
    *("Shape", "Identity", "Cast", "Constant", "ConstantOfShape", "Tile", "Pad", "Range"),
}
_PRODUCTS = {"MatMul", "Gemm", "Conv"}
_ONE_BIT_LAYERS = {
    "BinaryLinear": Kind.BINARY,
    "TernaryLinear": Kind.TERNARY,
    "SignedLinear": Kind.ONE_BIT_WEIGHT,
    "BinaryConv2d": Kind.BINARY,
}
_ATTENTIONS = {"BinaryAttention", "RelativeAttention", "BiasedAttention"}


def node_cost(node: onnx.NodeProto, shapes: StaticShapes, constants: Mapping[str, onnx.TensorProto]) -> Cost:
    """Kind and cost of one node of an exported graph.

    Args:
        node: standard op or concept op.
        shapes: of every tensor of the graph.
        constants: the graph's initializers by name.
    """
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if node.domain == DOMAIN:
        return _concept_cost(node, attributes, shapes)
    if not node.domain and node.op_type in _PRODUCTS:
        weights = sum(math.prod(constants[name].dims) for name in node.input[1:2] if name in constants)
        return Cost(Kind.FULL_PRECISION, _float_macs(node, attributes, shapes), weights, 32 * weights)
    if not node.domain and node.op_type in DATA_MOVEMENT:
        return Cost(Kind.DATA_MOVEMENT)
    return Cost(Kind.ELEMENTWISE)


def _concept_cost(node: onnx.NodeProto, attributes: dict[str, Any], shapes: StaticShapes) -> Cost:
    output = shapes[node.output[0]]
    if node.op_type in _ONE_BIT_LAYERS:
        weights = output[-1] * _bits_per_channel(attributes)
        return Cost(_ONE_BIT_LAYERS[node.op_type], math.prod(output[:-1]) * weights, weights, weights)
    if node.op_type in _ATTENTIONS:
        # Queries times keys and map times values. Several maps of one softmax are the bits of one map of small numbers;
        # BHViT's published operations count their product once.
        batch, queries, channels = output
        keys = shapes[node.input[1]][1]
        return Cost(Kind.BINARY, 2 * batch * queries * keys * channels)
    if node.op_type == "SignPack":
        return Cost(Kind.PACKING)
    return Cost(Kind.ELEMENTWISE)


def _bits_per_channel(attributes: dict[str, Any]) -> int:
    """Number of 1-bit weights of an output channel, padding left out."""
    if "k" in attributes:
        return int(attributes["k"])
    return int(attributes["kernel"] ** 2 * attributes["channels"] // attributes["groups"])


def _float_macs(node: onnx.NodeProto, attributes: dict[str, Any], shapes: StaticShapes) -> int:
    outputs = math.prod(shapes[node.output[0]])
    if node.op_type == "Conv":
        return outputs * math.prod(shapes[node.input[1]][1:])
    left = shapes[node.input[0]]
    return outputs * (left[0] if node.op_type == "Gemm" and attributes.get("transA") else left[-1])
