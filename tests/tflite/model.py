"""Small `.tflite` models for tests, of any custom op and of anything malformed: edgebin writes neither itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

from edgebin.backends.tflite.flatbuffer import TENSOR_TYPES, byte_vector, int_vector, number_vector, table, tables
from edgebin.backends.tflite.writer import flexbuffer

Array = npt.NDArray[Any]
Options = Mapping[str, int | float | str]


@dataclass
class Model:
    """A graph that grows by calls; tensors are numbers."""

    tensors: list[tuple[str, tuple[int, ...], str, Array | None, float | None, int]] = field(default_factory=list)
    operators: list[tuple[str, list[int], list[int], bytes | None]] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "float32",
        *,
        scale: float | None = None,
        zero_point: int = 0,
    ) -> int:
        self.tensors.append((name, tuple(shape), dtype, None, scale, zero_point))
        return len(self.tensors) - 1

    def input(self, name: str, shape: Sequence[int], dtype: str = "float32", **quantization: Any) -> int:
        self.inputs.append(self.tensor(name, shape, dtype, **quantization))
        return self.inputs[-1]

    def constant(self, name: str, array: Array) -> int:
        self.tensors.append((name, array.shape, array.dtype.name, np.ascontiguousarray(array), None, 0))
        return len(self.tensors) - 1

    def custom(self, code: str, inputs: list[int], outputs: list[int], options: Options | bytes | None = None) -> None:
        """An op; options may be raw bytes."""
        written = flexbuffer(options) if isinstance(options, Mapping) else options
        self.operators.append((code, inputs, outputs, written))

    def add(self, a: int, b: int, output: int) -> None:
        """A builtin: XNNPACK takes it."""
        self.operators.append(("", [a, b], [output], None))

    def write(self) -> bytes:
        builder = flatbuffers.Builder(1 << 16)
        buffers = [table(builder, "Buffer")]
        tensors = []
        for name, shape, dtype, array, scale, zero_point in self.tensors:
            fields = {
                "Shape": int_vector(builder, shape),
                "Name": builder.CreateString(name),
                "Type": TENSOR_TYPES[dtype],
            }
            if array is not None:
                fields["Buffer"] = len(buffers)
                buffers.append(table(builder, "Buffer", Data=byte_vector(builder, array.tobytes(), 16)))
            if scale is not None:
                scales = number_vector(builder, builder.PrependFloat32, 4, [scale])
                zeros = number_vector(builder, builder.PrependInt64, 8, [zero_point])
                fields["Quantization"] = table(builder, "QuantizationParameters", Scale=scales, ZeroPoint=zeros)
            tensors.append(table(builder, "Tensor", **fields))
        codes = list(dict.fromkeys(code for code, *_ in self.operators))
        operators = []
        for code, inputs, outputs, options in self.operators:
            fields = {"Inputs": int_vector(builder, inputs), "Outputs": int_vector(builder, outputs)}
            if options is not None:
                fields["CustomOptions"] = byte_vector(builder, options, 1)
            operators.append(table(builder, "Operator", OpcodeIndex=codes.index(code), **fields))
        subgraph = table(
            builder,
            "SubGraph",
            Tensors=tables(builder, "SubGraph", "Tensors", tensors),
            Inputs=int_vector(builder, self.inputs),
            Outputs=int_vector(builder, self.outputs),
            Operators=tables(builder, "SubGraph", "Operators", operators),
        )
        model = table(
            builder,
            "Model",
            Version=3,
            OperatorCodes=tables(builder, "Model", "OperatorCodes", [_code(builder, code) for code in codes]),
            Subgraphs=tables(builder, "Model", "Subgraphs", [subgraph]),
            Buffers=tables(builder, "Model", "Buffers", buffers),
        )
        builder.Finish(model, file_identifier=b"TFL3")
        return bytes(builder.Output())


def _code(builder: flatbuffers.Builder, code: str) -> int:
    number = tflite.BuiltinOperator.CUSTOM if code else tflite.BuiltinOperator.ADD
    fields = {"CustomCode": builder.CreateString(code)} if code else {}
    return table(builder, "OperatorCode", DeprecatedBuiltinCode=number, BuiltinCode=number, Version=1, **fields)
