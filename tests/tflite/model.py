"""Small `.tflite` models for tests, of custom ops and of anything malformed: edgebin's own writer writes neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite
from flatbuffers import flexbuffers

Array = npt.NDArray[Any]
Options = Mapping[str, int | float | str]

_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int8": tflite.TensorType.INT8,
    "uint8": tflite.TensorType.UINT8,
    "int32": tflite.TensorType.INT32,
    "int64": tflite.TensorType.INT64,
    "bool": tflite.TensorType.BOOL,
}


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
        buffers = [_table(builder, "Buffer")]
        tensors = []
        for name, shape, dtype, array, scale, zero_point in self.tensors:
            fields = {"Shape": _numbers(builder, shape), "Name": builder.CreateString(name), "Type": _TYPES[dtype]}
            if array is not None:
                fields["Buffer"] = len(buffers)
                buffers.append(_table(builder, "Buffer", Data=_bytes(builder, array.tobytes(), 16)))
            if scale is not None:
                scales = _numbers(builder, [scale], builder.PrependFloat32, 4)
                zeros = _numbers(builder, [zero_point], builder.PrependInt64, 8)
                fields["Quantization"] = _table(builder, "QuantizationParameters", Scale=scales, ZeroPoint=zeros)
            tensors.append(_table(builder, "Tensor", **fields))
        codes = list(dict.fromkeys(code for code, *_ in self.operators))
        operators = []
        for code, inputs, outputs, options in self.operators:
            fields = {"Inputs": _numbers(builder, inputs), "Outputs": _numbers(builder, outputs)}
            if options is not None:
                fields["CustomOptions"] = _bytes(builder, options, 1)
            operators.append(_table(builder, "Operator", OpcodeIndex=codes.index(code), **fields))
        subgraph = _table(
            builder,
            "SubGraph",
            Tensors=_vector(builder, "SubGraph", "Tensors", tensors),
            Inputs=_numbers(builder, self.inputs),
            Outputs=_numbers(builder, self.outputs),
            Operators=_vector(builder, "SubGraph", "Operators", operators),
        )
        model = _table(
            builder,
            "Model",
            Version=3,
            OperatorCodes=_vector(builder, "Model", "OperatorCodes", [_code(builder, code) for code in codes]),
            Subgraphs=_vector(builder, "Model", "Subgraphs", [subgraph]),
            Buffers=_vector(builder, "Model", "Buffers", buffers),
        )
        builder.Finish(model, file_identifier=b"TFL3")
        return bytes(builder.Output())


def flexbuffer(options: Options) -> bytes:
    builder = flexbuffers.Builder()
    with builder.Map():
        for key, value in sorted(options.items()):
            builder.Key(key)
            builder.Add(value)
    return bytes(builder.Finish())


def _code(builder: flatbuffers.Builder, code: str) -> int:
    number = tflite.BuiltinOperator.CUSTOM if code else tflite.BuiltinOperator.ADD
    fields = {"CustomCode": builder.CreateString(code)} if code else {}
    return _table(builder, "OperatorCode", DeprecatedBuiltinCode=number, BuiltinCode=number, Version=1, **fields)


def _table(builder: flatbuffers.Builder, table: str, **fields: int) -> int:
    getattr(tflite, f"{table}Start")(builder)
    for name, value in fields.items():
        getattr(tflite, f"{table}Add{name}")(builder, value)
    return int(getattr(tflite, f"{table}End")(builder))


def _vector(builder: flatbuffers.Builder, table: str, field_: str, offsets: Sequence[int]) -> int:
    getattr(tflite, f"{table}Start{field_}Vector")(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _numbers(builder: flatbuffers.Builder, values: Sequence[Any], prepend: Any = None, size: int = 4) -> int:
    builder.StartVector(size, len(values), size)
    for value in reversed(values):
        (prepend or builder.PrependInt32)(value)
    return int(builder.EndVector())


def _bytes(builder: flatbuffers.Builder, content: bytes, alignment: int) -> int:
    builder.StartVector(1, len(content), alignment)
    builder.head = builder.head - len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    return int(builder.EndVector())
