"""What an ONNX graph costs: multiply-accumulates and weight bits of each node, and why a node is not binary.

The published systems count OPs = BOPs / 64 + FLOPs, both in multiply-accumulates of matrix products and convolutions;
norms, activations and sums of tensors are not counted.
Source: Liu et al., Bi-Real Net (ECCV 2018), Sec. 4.3, as BinaryViT and BHViT use it.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import onnx

from edgebin.graph.ops import DOMAIN
from edgebin.graph.shapes import StaticShapes, infer_static_shapes

BINARY_MACS_PER_OP = 64


class Kind(StrEnum):
    """What a node works on."""

    BINARY = "binary"
    PACKING = "packing"
    FULL_PRECISION = "full precision"
    ELEMENTWISE = "elementwise"
    DATA_MOVEMENT = "data movement"


@dataclass(frozen=True)
class NodeReport:
    """One node. `reason` says why it is not binary, and is empty for nodes that are.

    `weights` is a number of values, `weight_bits` what they need (1 each where binary), `stored_bytes` the size in the
    file of all the node's constants: padding, scales, biases and tables included.
    """

    name: str
    op: str
    kind: Kind
    output_shape: tuple[int, ...]
    macs: int
    weights: int
    weight_bits: int
    stored_bytes: int
    reason: str


@dataclass(frozen=True)
class ModelReport:
    """All nodes of a graph in order, and their sums, for one inference of `batch` images."""

    batch: int
    nodes: tuple[NodeReport, ...]

    @property
    def binary_macs(self) -> int:
        """Multiply-accumulates of ±1 (or {0, 1}) with ±1."""
        return sum(node.macs for node in self.nodes if node.kind is Kind.BINARY)

    @property
    def full_precision_macs(self) -> int:
        """Multiply-accumulates of floats in matrix products and convolutions."""
        return sum(node.macs for node in self.nodes if node.kind is Kind.FULL_PRECISION)

    @property
    def ops(self) -> float:
        """OPs as the papers count them: 64 binary multiply-accumulates are one."""
        return self.binary_macs / BINARY_MACS_PER_OP + self.full_precision_macs

    @property
    def binary_weights(self) -> int:
        """Number of 1-bit weights."""
        return sum(node.weights for node in self.nodes if node.kind is Kind.BINARY)

    @property
    def full_precision_weights(self) -> int:
        """Number of float weights of matrix products and convolutions."""
        return sum(node.weights for node in self.nodes if node.kind is Kind.FULL_PRECISION)

    @property
    def stored_bytes(self) -> int:
        """Size of all constants in the file."""
        return sum(node.stored_bytes for node in self.nodes)

    @property
    def coverage(self) -> float:
        """Share of the multiply-accumulates that is binary, 0 to 1."""
        total = self.binary_macs + self.full_precision_macs
        return self.binary_macs / total if total else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "batch": self.batch,
            "binary_macs": self.binary_macs,
            "full_precision_macs": self.full_precision_macs,
            "ops": self.ops,
            "coverage": self.coverage,
            "binary_weights": self.binary_weights,
            "full_precision_weights": self.full_precision_weights,
            "stored_bytes": self.stored_bytes,
            "nodes": [dataclasses.asdict(node) | {"kind": str(node.kind)} for node in self.nodes],
        }


def inspect_model(model: onnx.ModelProto, batch: int = 1) -> ModelReport:
    """Accounts for every node of an exported graph.

    Raises:
        InputError: a shape cannot be inferred, or the batch of the graph is fixed at another number.
    """
    shapes = infer_static_shapes(model, batch)
    reader = _Reader(model, shapes)
    return ModelReport(batch, tuple(reader.report(node) for node in model.graph.node))


_PRODUCTS = {"MatMul", "Gemm", "Conv"}
_DATA_MOVEMENT = {
    *("Reshape", "Transpose", "Concat", "Slice", "Split", "Expand", "Squeeze", "Unsqueeze", "Flatten", "Gather"),
    *("Shape", "Identity", "Cast", "Constant", "ConstantOfShape", "Tile", "Pad", "Range"),
}
_REASONS = {
    "LayerNormalization": "a norm needs the mean and variance of full-precision values",
    "BatchNormalization": "a norm that stands before a residual keeps full-precision values",
    "Softmax": "probabilities of a full-precision attention",
    "RPReLU": "works on the full-precision residual stream",
    "PlusStencil": "pooling branches add to the full-precision residual stream",
}


class _Reader:
    """Looks at one node at a time, knowing the whole graph."""

    def __init__(self, model: onnx.ModelProto, shapes: StaticShapes) -> None:
        graph = model.graph
        self._shapes = shapes
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._users = Counter(name for node in graph.node for name in set(node.input))
        self._has_binary = any(node.domain == DOMAIN and node.op_type == "BinaryLinear" for node in graph.node)
        self._from_input = {value.name for value in graph.input}
        self._to_output = {value.name for value in graph.output}
        for node in graph.node:
            if node.op_type in _DATA_MOVEMENT and node.input and node.input[0] in self._from_input:
                self._from_input.update(node.output)
        for node in reversed(graph.node):
            if node.op_type in _DATA_MOVEMENT | {"Add"} and set(node.output) & self._to_output:
                self._to_output.update(node.input)

    def report(self, node: onnx.NodeProto) -> NodeReport:
        kind, macs, weights, weight_bits = self._cost(node)
        own = [self._constants[name] for name in dict.fromkeys(node.input) if name in self._constants]
        return NodeReport(
            name=node.name,
            op=f"{node.domain}:{node.op_type}" if node.domain else node.op_type,
            kind=kind,
            output_shape=self._shapes[node.output[0]],
            macs=macs,
            weights=weights,
            weight_bits=weight_bits,
            # A constant that several nodes read is shared out evenly, so that the sum over nodes is right.
            stored_bytes=sum(_bytes(tensor) // self._users[tensor.name] for tensor in own),
            reason=self._reason(node, kind),
        )

    def _cost(self, node: onnx.NodeProto) -> tuple[Kind, int, int, int]:
        """Kind, multiply-accumulates, number of weights, bits of weights."""
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.domain == DOMAIN and node.op_type == "BinaryLinear":
            *rows, columns = self._shapes[node.output[0]]
            weights = columns * attributes["k"]
            return Kind.BINARY, math.prod(rows) * weights, weights, weights
        if node.domain == DOMAIN and node.op_type == "BinaryAttention":
            batch, queries, channels = self._shapes[node.output[0]]
            keys, maps = self._shapes[node.input[1]][1], self._shapes[node.input[4]][0]
            return Kind.BINARY, batch * queries * keys * channels * (1 + maps), 0, 0
        if node.domain == DOMAIN and node.op_type == "SignPack":
            return Kind.PACKING, 0, 0, 0
        if not node.domain and node.op_type in _PRODUCTS:
            weights = sum(math.prod(self._constants[name].dims) for name in node.input[1:2] if name in self._constants)
            return Kind.FULL_PRECISION, self._float_macs(node, attributes), weights, 32 * weights
        if not node.domain and node.op_type in _DATA_MOVEMENT:
            return Kind.DATA_MOVEMENT, 0, 0, 0
        return Kind.ELEMENTWISE, 0, 0, 0

    def _float_macs(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> int:
        outputs = math.prod(self._shapes[node.output[0]])
        if node.op_type == "Conv":
            return outputs * math.prod(self._shapes[node.input[1]][1:])
        left = self._shapes[node.input[0]]
        return outputs * (left[0] if node.op_type == "Gemm" and attributes.get("transA") else left[-1])

    def _reason(self, node: onnx.NodeProto, kind: Kind) -> str:
        if kind is Kind.BINARY:
            return ""
        if kind is Kind.PACKING:
            return "makes the bits"
        if kind is Kind.DATA_MOVEMENT:
            return "moves data only"
        if kind is Kind.ELEMENTWISE:
            return _REASONS.get(node.op_type, "works on full-precision values between binary layers")
        if not self._has_binary:
            return "full-precision model"
        if node.input[0] in self._from_input:
            return "stem: pixels are not binary; the published systems keep it in full precision"
        if set(node.output) & self._to_output:
            return "classifier: the published systems keep it in full precision"
        return "the checkpoint holds full-precision weights for it"


def _bytes(tensor: onnx.TensorProto) -> int:
    itemsize: int = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return int(math.prod(tensor.dims)) * itemsize
