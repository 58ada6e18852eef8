"""The kernel calls of a network, from the network: what its graph consists of once edgebin has lowered it, batch 1.

A stencil's wrapping round and the values of tables are left out: they change no instruction count worth speaking of.
"""

from __future__ import annotations

from collections import Counter
from math import prod

import onnx_ir as ir
import torch

from benchmarks.kernels.shapes import Call, epilogue_names
from edgebin.errors import InputError
from edgebin.graph.export import export_module
from edgebin.models.config import ModelConfig
from edgebin.models.registry import construct
from edgebin.nn.freeze import freeze
from edgebin.passes import lower
from edgebin.passes.fused import LEADING_INPUTS, words

_GEMMS = {
    "FusedBinaryLinear": "b1_gemm",
    "FusedTernaryLinear": "b1_gemm_ternary",
    "FusedSignedLinear": "w1_gemm",
    "FusedLinear": "f32_gemm",
}
_ATTENTIONS = {
    "BinaryAttention": "b1_attention",
    "RelativeAttention": "b1_relative_attention",
    "BiasedAttention": "b1_biased_attention",
}


def lowered_calls(config: ModelConfig) -> list[Call]:
    """The distinct kernel calls of an untrained network of this configuration, in the order it makes them.

    Raises:
        InputError: a fused op that this file does not know yet.
    """
    torch.manual_seed(0)
    network = freeze(construct(config).eval())
    model = ir.from_proto(export_module(network, torch.zeros(1, 3, config.image_size, config.image_size)))
    lower(model, batch=1)
    counts: Counter[Call] = Counter()
    for node in model.graph:
        if node.domain == "edgebin":
            call, times = _call(node)
            counts[call] += times
    return [Call(call.op, call.dims, call.out, times) for call, times in counts.items()]


def _call(node: ir.Node) -> tuple[Call, int]:
    """The call of a node, and how often it makes it (once per window of attention)."""
    shapes = [value.shape.numpy() if value is not None and value.shape is not None else () for value in node.inputs]
    if node.op_type in _ATTENTIONS:
        heads, head_dim = _integer(node, "heads"), _integer(node, "head_dim")
        dims = (heads, head_dim, shapes[0][1], shapes[1][1])
        if node.op_type == "BinaryAttention":
            dims = (*dims, shapes[4][0])
        return Call(_ATTENTIONS[node.op_type], dims, "int"), shapes[0][0]
    if node.op_type == "FusedStencil":
        return Call("f32_stencil", shapes[0][1:], "skip" if len(node.inputs) > 3 else "f32"), shapes[0][0]
    out = _out(node, shapes)
    rows = prod(shapes[0][:-1])
    if node.op_type in _GEMMS:
        weight = shapes[LEADING_INPUTS[node.op_type] - 1]
        k = _integer(node, "k") if "k" in node.attributes else weight[-1]
        return Call(_GEMMS[node.op_type], (rows, k, weight[0]), out), 1
    if node.op_type == "FusedMatMul":
        k, n = shapes[1][-2:]
        return Call("f32_gemm", (shapes[0][-2], k, n), out), rows // shapes[0][-2]
    if node.op_type == "FusedLayerNorm":
        return Call("layernorm", (rows, shapes[0][-1]), out), 1
    if node.op_type == "FusedRows":
        x = node.inputs[0]
        op = "rows_i32" if x is not None and x.dtype == ir.DataType.INT32 else "rows"
        return Call(op, (rows, shapes[0][-1]), out), 1
    if node.op_type == "FusedBinaryConv":
        images, h, w, _ = shapes[0]
        sizes = (_integer(node, name) for name in ("kernel", "dilation", "groups"))
        return Call("b1_conv", (h, w, _integer(node, "channels"), shapes[1][0], *sizes), out), images
    raise InputError(
        f"no kernel call is known for the op `{node.op_type}`", hint="add it to benchmarks/kernels/lowered.py"
    )


def _out(node: ir.Node, shapes: list[tuple[int, ...]]) -> str:
    """The epilogue as the probe has it: a name if there is one."""
    columns = (
        shapes[0][-1]
        if node.op_type in ("FusedRows", "FusedLayerNorm")
        else shapes[LEADING_INPUTS[node.op_type] - 1][0]
    )
    if node.op_type == "FusedMatMul":
        columns = shapes[1][-1]
    operands = []
    for name, shape in zip(words(_text(node, "operands")), shapes[LEADING_INPUTS[node.op_type] :], strict=True):
        wrapped = name.startswith("residual") and shape[-1] != columns
        operands.append(f"{name}/{columns // shape[-1]}" if wrapped else name)
    pool = _integer(node, "pool")
    spelt = f"{','.join(operands)}:{','.join(words(_text(node, 'results')))}" + (f":{pool}" if pool > 1 else "")
    return next((name for name, of in epilogue_names().items() if of == spelt), spelt)


def _integer(node: ir.Node, name: str) -> int:
    return node.attributes[name].as_int()


def _text(node: ir.Node, name: str) -> str:
    return node.attributes[name].as_string()
