"""The walk over an ONNX graph that turns every node into TFLite operators, by a table of conversions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx_ir as ir

from edgebin.backends.tflite.graph import Graph, Shape, Tensor
from edgebin.errors import CompileError, UnsupportedOp
from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import DOMAIN, Array, constant

_WORD_BYTES = 4
# Since then axes are inputs throughout, softmax is over one axis and ReduceMean has its axes as an input.
_OLDEST_OPSET = 18


class Translation:
    """One ONNX graph on its way: the TFLite graph so far, and which tensor stands for which value.

    Bits, uint8 rows in ONNX, are rows of int32 words here (`Tensor.channels`).
    """

    def __init__(self, table: Mapping[str, Conversion]) -> None:
        self.graph = Graph()
        self._table = table
        self._tensors: dict[ir.Value, Tensor] = {}

    def run(self, model: ir.Model) -> Graph:
        """Convert the whole model, whose shapes are fixed.

        Raises:
            CompileError: the model is older than these ops.
            UnsupportedOp: a node has no conversion, or not with these shapes or attributes.
        """
        if (opset := model.opset_imports.get("", _OLDEST_OPSET)) < _OLDEST_OPSET:
            raise CompileError(
                f"the model is of ONNX opset {opset}, whose ops mean other things than those of today",
                hint=f"`onnx.version_converter` makes it one of opset {_OLDEST_OPSET} or newer",
            )
        for value in model.graph.inputs:
            assert value.dtype is not None
            self._tensors[value] = self.graph.input(value.name or "", static_shape(value), value.dtype.numpy())
        for node in model.graph:
            name = self.graph.node = node.name or node.op_type
            convert = self._table.get(node.op_type) if node.domain in ("", DOMAIN) else None
            if convert is None:
                raise UnsupportedOp(name, f"TFLite has nothing for {node.op_type}")
            results = convert(self, node)
            for value, tensor in zip(node.outputs, [results] if isinstance(results, Tensor) else results, strict=True):
                self.bind(value, tensor)
        self.graph.outputs = [self.tensor(value) for value in model.graph.outputs]
        for value, tensor in zip(model.graph.outputs, self.graph.outputs, strict=True):
            tensor.name = value.name or tensor.name
        return self.graph

    def bind(self, value: ir.Value, tensor: Tensor) -> None:
        """Let the tensor stand for the value, under its name."""
        self._tensors[value] = tensor
        if value.name and tensor not in self.graph.inputs and tensor.data is None:
            tensor.name = value.name

    def tensor(self, value: ir.Value | None) -> Tensor:
        """What stands for a value; constants are made when first asked for."""
        assert value is not None
        if value not in self._tensors:
            array = constant(value)
            assert array is not None, f"{value.name} has no producer"
            self._tensors[value] = self.graph.constant(value.name or "constant", array)
        return self._tensors[value]

    def inputs(self, node: ir.Node) -> list[Tensor]:
        """The tensors of all inputs of a node."""
        return [self.tensor(value) for value in node.inputs if value is not None]

    def refuse(self, reason: str, hint: str | None = None) -> UnsupportedOp:
        """The error that says why the current node cannot be converted."""
        return UnsupportedOp(self.graph.node, reason, hint=hint)


Conversion: TypeAlias = Callable[[Translation, ir.Node], Tensor | Sequence[Tensor]]


def attribute(node: ir.Node, name: str, default: Any) -> Any:
    """An attribute's value, or the default where the node does not have it."""
    return node.attributes[name].value if name in node.attributes else default


def required(t: Translation, node: ir.Node, index: int) -> Array:
    """An input that has to be constant.

    Raises:
        UnsupportedOp: it is not.
    """
    array = constant(node.inputs[index])
    if array is None:
        raise t.refuse(f"input {index} of {node.op_type} is not a constant")
    return array


def result_shape(t: Translation, x: Tensor, node: ir.Node, *, output: int = 0) -> Shape:
    """The shape of a result of an op that moves elements of x; bits keep their rows whole.

    Raises:
        UnsupportedOp: x is bits, and the op reaches into the rows.
    """
    shape = static_shape(node.outputs[output])
    if x.channels is None:
        return shape
    if shape[-1] != _row_bytes(node):
        raise t.refuse(f"{node.op_type} moves bits within their rows")
    return (*shape[:-1], x.shape[-1])


def joins_rows(t: Translation, x: Tensor, node: ir.Node) -> bool:
    """Whether x is bits and the result's rows are several of its rows.

    Raises:
        UnsupportedOp: they are parts of rows.
    """
    if x.channels is None or static_shape(node.outputs[0])[-1] == _row_bytes(node):
        return False
    if static_shape(node.outputs[0])[-1] % _row_bytes(node):
        raise t.refuse(f"{node.op_type} moves bits within their rows")
    return True


def row_words(node: ir.Node) -> int:
    """Words of a row of the bits that a node reads, in ONNX."""
    return _row_bytes(node) // _WORD_BYTES


def _row_bytes(node: ir.Node) -> int:
    assert node.inputs[0] is not None
    return static_shape(node.inputs[0])[-1]


def word_shape(value: ir.Value) -> tuple[Shape, np.dtype[Any], int | None]:
    """Shape, type and number of bits of the tensor that stands for a value of whole 64-bit words, or for any other."""
    shape = static_shape(value)
    assert value.dtype is not None
    if value.dtype != ir.DataType.UINT8:
        return shape, np.dtype(value.dtype.numpy()), None
    return (*shape[:-1], shape[-1] // _WORD_BYTES), np.dtype(np.int32), 8 * shape[-1]
