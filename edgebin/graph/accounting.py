"""What an ONNX graph costs: multiply-accumulates and weight bits of each node, and why a node is not binary.

The published systems count OPs = BOPs / 64 + FLOPs, both in multiply-accumulates of matrix products and convolutions.
Source: Liu et al., Bi-Real Net (ECCV 2018), Sec. 4.3, as BinaryViT and BHViT use it. BiViT's figures come out if a
product of floats with 1-bit weights counts as one half, and its ternary layers as binary ones (He et al., BiViT, ICCV
2023, results on ImageNet).
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import onnx

from edgebin.graph.costs import DATA_MOVEMENT, Kind, node_cost
from edgebin.graph.ops import DOMAIN
from edgebin.graph.shapes import StaticShapes, infer_static_shapes

# How many multiply-accumulates of each kind are one OP.
MACS_PER_OP = {Kind.BINARY: 64, Kind.TERNARY: 64, Kind.ONE_BIT_WEIGHT: 2, Kind.FULL_PRECISION: 1}
ONE_BIT_KINDS = (Kind.BINARY, Kind.TERNARY, Kind.ONE_BIT_WEIGHT)


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

    def macs(self, *kinds: Kind) -> int:
        """Multiply-accumulates of the nodes of these kinds, or of all nodes."""
        return sum(node.macs for node in self.nodes if not kinds or node.kind in kinds)

    @property
    def binary_macs(self) -> int:
        """Multiply-accumulates of ±1 (or {0, 1}) with ±1."""
        return self.macs(Kind.BINARY)

    @property
    def ternary_macs(self) -> int:
        """Multiply-accumulates of {-1, 0, +1} with ±1."""
        return self.macs(Kind.TERNARY)

    @property
    def one_bit_weight_macs(self) -> int:
        """Multiply-accumulates of floats with ±1."""
        return self.macs(Kind.ONE_BIT_WEIGHT)

    @property
    def full_precision_macs(self) -> int:
        """Multiply-accumulates of floats in matrix products and convolutions."""
        return self.macs(Kind.FULL_PRECISION)

    @property
    def ops(self) -> float:
        """OPs as the papers count them: 64 binary multiply-accumulates are one."""
        return sum(self.macs(kind) / macs for kind, macs in MACS_PER_OP.items())

    @property
    def binary_weights(self) -> int:
        """Number of 1-bit weights, whatever they are multiplied with."""
        return sum(node.weights for node in self.nodes if node.kind in ONE_BIT_KINDS)

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
        """Share of the multiply-accumulates that work on bits alone, binary or ternary, 0 to 1."""
        return self.macs(Kind.BINARY, Kind.TERNARY) / max(self.macs(), 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "batch": self.batch,
            "binary_macs": self.binary_macs,
            "ternary_macs": self.ternary_macs,
            "one_bit_weight_macs": self.one_bit_weight_macs,
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


_KIND_REASONS = {
    Kind.BINARY: "",
    Kind.TERNARY: "its input is often exactly 0, and sgn(0) = 0: signs take two bits, and products stay popcounts",
    Kind.ONE_BIT_WEIGHT: "its activations are full precision (W1A32); weights are 1 bit, in memory too",
    Kind.PACKING: "makes the bits",
    Kind.DATA_MOVEMENT: "moves data only",
}
_REASONS = {
    "LayerNormalization": "a norm needs the mean and variance of full-precision values",
    "BatchNormalization": "a norm that stands before a residual keeps full-precision values",
    "Softmax": "probabilities of a full-precision attention",
    "RPReLU": "works on the full-precision residual stream",
    "PlusStencil": "side branches add to the full-precision residual stream",
    "Gelu": "an activation function of full-precision values",
}


class _Reader:
    """Looks at one node at a time, knowing the whole graph."""

    def __init__(self, model: onnx.ModelProto, shapes: StaticShapes) -> None:
        graph = model.graph
        self._shapes = shapes
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._users = Counter(name for node in graph.node for name in set(node.input))
        self._has_bits = any(node.domain == DOMAIN for node in graph.node)
        self._from_input = {value.name for value in graph.input}
        self._to_output = {value.name for value in graph.output}
        for node in graph.node:
            if node.op_type in DATA_MOVEMENT and node.input and node.input[0] in self._from_input:
                self._from_input.update(node.output)
        for node in reversed(graph.node):
            if node.op_type in DATA_MOVEMENT | {"Add"} and set(node.output) & self._to_output:
                self._to_output.update(node.input)

    def report(self, node: onnx.NodeProto) -> NodeReport:
        cost = node_cost(node, self._shapes, self._constants)
        own = [self._constants[name] for name in dict.fromkeys(node.input) if name in self._constants]
        return NodeReport(
            name=node.name,
            op=f"{node.domain}:{node.op_type}" if node.domain else node.op_type,
            kind=cost.kind,
            output_shape=self._shapes[node.output[0]],
            macs=cost.macs,
            weights=cost.weights,
            weight_bits=cost.weight_bits,
            # A constant that several nodes read is shared out evenly, so that the sum over nodes is right.
            stored_bytes=sum(_bytes(tensor) // self._users[tensor.name] for tensor in own),
            reason=self._reason(node, cost.kind),
        )

    def _reason(self, node: onnx.NodeProto, kind: Kind) -> str:
        if kind in _KIND_REASONS:
            return _KIND_REASONS[kind]
        if kind is Kind.ELEMENTWISE:
            return _REASONS.get(node.op_type, "works on full-precision values between binary layers")
        if not self._has_bits:
            return "full-precision model"
        if node.input[0] in self._from_input:
            return "stem: pixels are not binary; the published systems keep it in full precision"
        if set(node.output) & self._to_output:
            return "classifier: the published systems keep it in full precision"
        if not set(node.input) & set(self._constants):
            return "both factors are full-precision activations"
        return "the checkpoint holds full-precision weights for it"


def _bytes(tensor: onnx.TensorProto) -> int:
    itemsize: int = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return int(math.prod(tensor.dims)) * itemsize
