"""Tables and vectors of a flatbuffer of TFLite's schema, whose package `tflite` has builders but no objects.

Each function writes something and gives its offset, which a table takes as the value of a field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
import tflite

# By the names of numpy's types.
TENSOR_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int8": tflite.TensorType.INT8,
    "uint8": tflite.TensorType.UINT8,
    "int32": tflite.TensorType.INT32,
    "int64": tflite.TensorType.INT64,
    "bool": tflite.TensorType.BOOL,
}


def table(builder: flatbuffers.Builder, name: str, **fields: Any) -> int:
    """A table of the schema; its fields are numbers, or offsets of what was written before."""
    getattr(tflite, f"{name}Start")(builder)
    for field, value in fields.items():
        getattr(tflite, f"{name}Add{field}")(builder, value)
    return int(getattr(tflite, f"{name}End")(builder))


def tables(builder: flatbuffers.Builder, name: str, field: str, offsets: Sequence[int]) -> int:
    """The vector of tables that a field of the table `name` holds."""
    getattr(tflite, f"{name}Start{field}Vector")(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def int_vector(builder: flatbuffers.Builder, values: Sequence[int]) -> int:
    """A vector of int32."""
    return number_vector(builder, builder.PrependInt32, 4, [int(value) for value in values])


def number_vector(
    builder: flatbuffers.Builder, prepend: Callable[[Any], None], size: int, values: Sequence[Any]
) -> int:
    """A vector of numbers of `size` bytes, which the builder's method `prepend` writes."""
    builder.StartVector(size, len(values), size)
    for value in reversed(values):
        prepend(value)
    return int(builder.EndVector())


def byte_vector(builder: flatbuffers.Builder, content: bytes, alignment: int) -> int:
    """A vector of bytes. `Builder.CreateByteVector` does not keep the alignment that the schema demands of buffers."""
    builder.StartVector(1, len(content), alignment)
    builder.head = builder.head - len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = np.frombuffer(content, np.uint8).tobytes()
    return int(builder.EndVector())
