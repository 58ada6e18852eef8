"""What kernel call a node of a lowered model is: operation, sizes, how often, how much work."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import onnx_ir as ir

from edgebin.errors import CompileError
from edgebin.kernels.shape import CallShape, spell_epilogue
from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import DOMAIN, LEADING_INPUTS, words

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
_ROWS = ("FusedRows", "FusedLayerNorm")
_CONVOLUTION = ("kernel", "dilation", "groups")


@dataclass(frozen=True)
class NodeCall:
    """One node as calls of a kernel.

    `shape` is one call, made `times` times: once per image, per window of attention or per matrix of a batch; a call
    over rows is one call of all rows. `macs` counts multiply-accumulates of all of them, binary or float according to
    the kernel, `bytes_` what the node reads and writes, each array once.
    """

    shape: CallShape
    times: int
    macs: int
    bytes_: int

    @property
    def shares_rows(self) -> bool:
        """Whether cores share the rows of the call, rather than images, heads or matrices."""
        return self.shape.op.startswith(("b1_gemm", "w1_gemm", "f32_gemm", "rows", "layernorm")) and self.times == 1


def is_kernel_call(node: ir.Node) -> bool:
    """Whether the node is ours to run."""
    return node.domain == DOMAIN


def node_call(node: ir.Node) -> NodeCall:
    """The call of a node in edgebin's domain, all shapes being known.

    Raises:
        CompileError: no kernel does this op.
    """
    inputs = [static_shape(value) if value is not None else () for value in node.inputs]
    shape, times, macs = _call(node, inputs)
    values = [value for value in (*node.inputs, *node.outputs) if value is not None]
    bytes_ = sum(prod(static_shape(value)) * value.dtype.itemsize for value in values if value.dtype)
    return NodeCall(shape, times, macs, int(bytes_))


def _call(node: ir.Node, inputs: list[tuple[int, ...]]) -> tuple[CallShape, int, int]:
    op, x = node.op_type, inputs[0]
    rows = prod(x[:-1])
    if op in _ATTENTIONS:
        heads, head_dim = _integer(node, "heads"), _integer(node, "head_dim")
        maps = (inputs[4][0],) if op == "BinaryAttention" else ()
        dims = (heads, head_dim, x[1], inputs[1][1])
        return CallShape(_ATTENTIONS[op], "int", (*dims, *maps)), x[0], x[0] * prod(dims) * (1 + sum(maps or (1,)))
    if op == "FusedStencil":
        return CallShape("f32_stencil", "skip" if len(inputs) > 3 else "f32", x[1:]), x[0], 9 * prod(x)
    if op in _ROWS:
        rows_op = "layernorm" if op == "FusedLayerNorm" else "rows_i32" if _is_int32(node.inputs[0]) else "rows"
        return CallShape(rows_op, _epilogue(node, inputs, x[-1]), (rows, x[-1])), 1, 0
    if op in _GEMMS:
        n, width = inputs[LEADING_INPUTS[op] - 1]
        k = _integer(node, "k") if "k" in node.attributes else width
        return CallShape(_GEMMS[op], _epilogue(node, inputs, n), (rows, k, n)), 1, rows * k * n
    if op == "FusedMatMul":
        k, n = inputs[1][-2:]
        return CallShape("f32_gemm", _epilogue(node, inputs, n), (x[-2], k, n)), rows // x[-2], rows * k * n
    if op == "FusedBinaryConv":
        n, channels = inputs[1][0], _integer(node, "channels")
        kernel, dilation, groups = (_integer(node, name) for name in _CONVOLUTION)
        sizes = (*x[1:3], channels, n, kernel, dilation, groups)
        return CallShape("b1_conv", _epilogue(node, inputs, n), sizes), x[0], rows * n * kernel**2 * channels // groups
    raise CompileError(f"no kernel call is known for the op `{op}`", hint="add it to edgebin/passes/node_call.py")


def _epilogue(node: ir.Node, inputs: list[tuple[int, ...]], columns: int) -> str:
    names = words(node.attributes["operands"].as_string())
    operands = zip(names, (shape[-1] for shape in inputs[LEADING_INPUTS[node.op_type] :]), strict=True)
    return spell_epilogue(operands, words(node.attributes["results"].as_string()), _integer(node, "pool"), columns)


def _is_int32(value: ir.Value | None) -> bool:
    return value is not None and value.dtype == ir.DataType.INT32


def _integer(node: ir.Node, name: str) -> int:
    return node.attributes[name].as_int()
