"""TFLite graph → the bytes of a `.tflite` file, with flatbuffers alone.

The same graph gives the same bytes. Source: the schema of the package `tflite` (TFLite 2.18, read by all runtimes
since 2.5), which has builders for its tables but no objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import flatbuffers
import tflite
from flatbuffers import flexbuffers

from edgebin.backends.tflite.flatbuffer import TENSOR_TYPES, byte_vector, int_vector, number_vector, table, tables
from edgebin.backends.tflite.graph import Graph, Operator, Option, Tensor
from edgebin.errors import UnsupportedOp

_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_BUFFER_ALIGNMENT = 16
_CUSTOM = tflite.BuiltinOperator.CUSTOM
# Codes above this do not fit the old one-byte field, which then says so.
_LARGEST_OLD_CODE = 127

# The option table of each builtin that gets one; the others have none, or only defaults.
_OPTION_TABLES = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "GATHER": "GatherOptions",
    "GELU": "GeluOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MUL": "MulOptions",
    "REDUCE_MAX": "ReducerOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SPLIT": "SplitOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "SUB": "SubOptions",
    "SUM": "ReducerOptions",
}

# Where the first version of a builtin is not registered by any runtime.
_VERSIONS = {"BROADCAST_TO": 2}


def write(graph: Graph, *, description: str) -> bytes:
    """The file.

    Raises:
        UnsupportedOp: a tensor is of a type that these files do not have.
    """
    builder = flatbuffers.Builder(1 << 20)
    tensors = _tensors(graph)
    index = {tensor: number for number, tensor in enumerate(tensors)}
    codes = list(dict.fromkeys((operator.kind, operator.custom) for operator in graph.operators))
    # Buffer 0 is the empty one of everything that is not constant.
    contents = [b""] + [tensor.data.tobytes() for tensor in tensors if tensor.data is not None]
    buffer_of = {tensor: number for number, tensor in enumerate((t for t in tensors if t.data is not None), start=1)}

    buffers = tables(builder, "Model", "Buffers", [_buffer(builder, content) for content in contents])
    written = [_tensor(builder, tensor, buffer_of.get(tensor, 0)) for tensor in tensors]
    operators = [
        _operator(builder, operator, codes.index((operator.kind, operator.custom)), index)
        for operator in graph.operators
    ]
    subgraph = table(
        builder,
        "SubGraph",
        Tensors=tables(builder, "SubGraph", "Tensors", written),
        Inputs=int_vector(builder, [index[tensor] for tensor in graph.inputs]),
        Outputs=int_vector(builder, [index[tensor] for tensor in graph.outputs]),
        Operators=tables(builder, "SubGraph", "Operators", operators),
        Name=builder.CreateString("main"),
    )
    model = table(
        builder,
        "Model",
        Version=_SCHEMA_VERSION,
        OperatorCodes=tables(builder, "Model", "OperatorCodes", [_operator_code(builder, *code) for code in codes]),
        Subgraphs=tables(builder, "Model", "Subgraphs", [subgraph]),
        Description=builder.CreateString(description),
        Buffers=buffers,
        SignatureDefs=tables(builder, "Model", "SignatureDefs", [_signature(builder, graph, index)]),
    )
    builder.Finish(model, file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def flexbuffer(entries: Mapping[str, Option]) -> bytes:
    """A map as a flexbuffer: how custom ops get their options."""
    builder = flexbuffers.Builder()
    with builder.Map():
        for key, value in sorted(entries.items()):
            builder.Key(key)
            if isinstance(value, str):
                builder.String(value)
            elif isinstance(value, float):
                builder.Float(value)
            else:
                builder.Int(int(value))
    return bytes(builder.Finish())


def _tensors(graph: Graph) -> list[Tensor]:
    """Every tensor once, in the order of the operators."""
    found = dict.fromkeys(graph.inputs)
    for operator in graph.operators:
        found |= dict.fromkeys(tensor for tensor in (*operator.inputs, *operator.outputs) if tensor is not None)
    return list(found | dict.fromkeys(graph.outputs))


def _buffer(builder: flatbuffers.Builder, content: bytes) -> int:
    data = byte_vector(builder, content, _BUFFER_ALIGNMENT) if content else None
    return table(builder, "Buffer", **({} if data is None else {"Data": data}))


def _tensor(builder: flatbuffers.Builder, tensor: Tensor, buffer: int) -> int:
    if tensor.dtype.name not in TENSOR_TYPES:
        raise UnsupportedOp(tensor.name, f"tensors of {tensor.dtype.name} are not written to `.tflite` files")
    fields = {
        "Shape": int_vector(builder, tensor.shape),
        "Name": builder.CreateString(tensor.name),
        "Type": TENSOR_TYPES[tensor.dtype.name],
        "Buffer": buffer,
    }
    if tensor.scales is not None:
        scale = number_vector(builder, builder.PrependFloat32, 4, [float(scale) for scale in tensor.scales])
        zero_point = number_vector(builder, builder.PrependInt64, 8, [0] * len(tensor.scales))
        fields["Quantization"] = table(builder, "QuantizationParameters", Scale=scale, ZeroPoint=zero_point)
    return table(builder, "Tensor", **fields)


def _operator_code(builder: flatbuffers.Builder, kind: str, custom: bool) -> int:
    code = _CUSTOM if custom else getattr(tflite.BuiltinOperator, kind)
    fields: dict[str, int] = {"CustomCode": builder.CreateString(kind)} if custom else {}
    return table(
        builder,
        "OperatorCode",
        DeprecatedBuiltinCode=min(code, _LARGEST_OLD_CODE),
        BuiltinCode=code,
        Version=_VERSIONS.get(kind, 1),
        **fields,
    )


def _operator(builder: flatbuffers.Builder, operator: Operator, code: int, index: Mapping[Tensor, int]) -> int:
    fields = {
        "OpcodeIndex": code,
        # -1: an optional input that is not there.
        "Inputs": int_vector(builder, [-1 if tensor is None else index[tensor] for tensor in operator.inputs]),
        "Outputs": int_vector(builder, [index[tensor] for tensor in operator.outputs]),
    }
    if operator.custom:
        if operator.options:
            fields["CustomOptions"] = byte_vector(builder, flexbuffer(operator.options), 1)
    elif options := _OPTION_TABLES.get(operator.kind):
        fields["BuiltinOptions"] = table(builder, options, **operator.options)
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options)
    return table(builder, "Operator", **fields)


def _signature(builder: flatbuffers.Builder, graph: Graph, index: Mapping[Tensor, int]) -> int:
    """What a runtime's signature runner calls inputs and outputs by."""

    def maps(field: str, tensors: Sequence[Tensor]) -> int:
        entries = [
            table(builder, "TensorMap", Name=builder.CreateString(tensor.name), TensorIndex=index[tensor])
            for tensor in tensors
        ]
        return tables(builder, "SignatureDef", field, entries)

    return table(
        builder,
        "SignatureDef",
        Inputs=maps("Inputs", graph.inputs),
        Outputs=maps("Outputs", graph.outputs),
        SignatureKey=builder.CreateString("serving_default"),
    )
