"""A function body under construction: statements in standard ops, each value with its name and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import onnx

from edgebin.graph.ops import DOMAIN

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A tensor inside the body, all sizes known."""

    name: str
    shape: Shape


@dataclass
class Body:
    """The statements so far."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)

    def add(
        self, op_type: str, inputs: Sequence[Value], shape: Shape, *, ours: bool = False, **attributes: Any
    ) -> Value:
        """One more statement; `ours` for concept ops and their helpers. Returns its result."""
        result = Value(f"v{len(self.nodes)}", shape)
        names = [value.name for value in inputs]
        domain = DOMAIN if ours else ""
        self.nodes.append(onnx.helper.make_node(op_type, names, [result.name], domain=domain, **attributes))
        return result

    def integers(self, numbers: Sequence[int]) -> Value:
        return self.add("Constant", [], (len(numbers),), value_ints=list(numbers))

    def filled(self, number: float, size: int) -> Value:
        """A vector of one number."""
        shape = self.integers([size])
        result = Value(f"v{len(self.nodes)}", (size,))
        value = onnx.helper.make_tensor("value", onnx.TensorProto.FLOAT, [1], [number])
        self.nodes.append(onnx.helper.make_node("ConstantOfShape", [shape.name], [result.name], value=value))
        return result

    def cast(self, value: Value, to: int) -> Value:
        return self.add("Cast", [value], value.shape, to=to)

    def reshape(self, value: Value, shape: Shape) -> Value:
        """The value itself if it has that shape."""
        return value if value.shape == shape else self.add("Reshape", [value, self.integers(shape)], shape)

    def rename(self, value: Value, name: str) -> None:
        """Makes it a result of the function."""
        self.nodes.append(onnx.helper.make_node("Identity", [value.name], [name]))
