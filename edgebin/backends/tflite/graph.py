"""A TFLite graph in memory: what the conversions build and the writer writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Option: TypeAlias = int | float | bool | str
Shape: TypeAlias = tuple[int, ...]


@dataclass(eq=False)
class Tensor:
    """A tensor of fixed shape; `data` is set where it is constant.

    `channels` is set for bits: int32 words of which each row of the last axis holds that many bits. `scales` makes an
    int8 tensor a quantised one, symmetric: one scale, or one for each index of the first axis.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    data: Array | None = None
    channels: int | None = None
    scales: Array | None = None


@dataclass(eq=False)
class Operator:
    """One operator. `kind` is a builtin's name, such as `ADD`, or the code of a custom op.

    Options are the fields of the builtin's option table, or the entries of a custom op's flexbuffer map. `node` names
    what it computes a part of: the ONNX node.
    """

    kind: str
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options: Mapping[str, Option] = field(default_factory=dict)
    custom: bool = False
    node: str = ""


class Graph:
    """Operators in the order in which they run."""

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.operators: list[Operator] = []
        self.node = ""
        self.warnings: dict[str, list[str]] = {}
        self._constants: dict[tuple[str, Shape, bytes, bytes], Tensor] = {}

    def input(self, name: str, shape: Iterable[int], dtype: npt.DTypeLike) -> Tensor:
        """A new input of the graph."""
        tensor = Tensor(name, tuple(shape), np.dtype(dtype))
        self.inputs.append(tensor)
        return tensor

    def constant(self, name: str, array: npt.ArrayLike, *, scales: Array | None = None) -> Tensor:
        """A constant; equal ones are one tensor, under the name of the first."""
        data = np.asarray(array)
        data = np.ascontiguousarray(data).reshape(data.shape)  # the former makes an axis of a scalar
        key = (data.dtype.str, data.shape, data.tobytes(), b"" if scales is None else scales.tobytes())
        if key not in self._constants:
            self._constants[key] = Tensor(name, data.shape, data.dtype, data, scales=scales)
        return self._constants[key]

    def ints(self, values: Sequence[int]) -> Tensor:
        """A constant vector of int32, such as a shape."""
        return self.constant("ints." + "x".join(map(str, values)), np.array(values, np.int32))

    def add(
        self,
        kind: str,
        inputs: Sequence[Tensor | None],
        shape: Iterable[int],
        *,
        dtype: npt.DTypeLike = np.float32,
        custom: bool = False,
        channels: int | None = None,
        **options: Any,
    ) -> Tensor:
        """A new operator at the end with one result, which it returns."""
        result = Tensor(f"{self.node}/{kind}", tuple(map(int, shape)), np.dtype(dtype), channels=channels)
        self.operators.append(Operator(kind, list(inputs), [result], options, custom, self.node))
        return result

    def warn(self, message: str) -> None:
        """Note what the user should know of the current node."""
        self.warnings.setdefault(message, []).append(self.node)

    def users(self) -> dict[Tensor, list[Operator]]:
        """For each tensor the operators that read it."""
        readers: dict[Tensor, list[Operator]] = {}
        for operator in self.operators:
            for tensor in dict.fromkeys(operator.inputs):
                if tensor is not None:
                    readers.setdefault(tensor, []).append(operator)
        return readers

    def producers(self) -> dict[Tensor, Operator]:
        """For each result the operator that writes it."""
        return {tensor: operator for operator in self.operators for tensor in operator.outputs}

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Let `new` be read wherever `old` was; an output of the graph keeps its name."""
        for operator in self.operators:
            if old in operator.inputs:
                operator.inputs = [new if tensor is old else tensor for tensor in operator.inputs]
        if old in self.outputs:
            self.outputs = [new if tensor is old else tensor for tensor in self.outputs]
            new.name = old.name

    def remove_unused(self) -> None:
        """Drop operators whose results nobody reads."""
        needed = set(self.outputs)
        kept = []
        for operator in reversed(self.operators):
            if needed.intersection(operator.outputs):
                needed.update(tensor for tensor in operator.inputs if tensor is not None)
                kept.append(operator)
        self.operators = kept[::-1]
