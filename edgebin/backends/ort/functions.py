"""What the fused ops of a lowered model are in standard ops: a function for each, so that runtimes without our library
run the file.

Sizes are known by then, so a body is written for a *signature*: op, attributes, shapes. Signatures of one op are told
apart by the ONNX field `overload`; a custom op goes before all of them. Products, packing of signs and stencils are the
concept ops' own bodies; where edgebin.h has an fma, so has the body (in float64, rounded once).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import onnx
import onnx_ir as ir

from edgebin.backends.ort.body import Body, Shape, Value
from edgebin.errors import UnsupportedOp
from edgebin.graph.functions import functions_for
from edgebin.graph.ops import CONCEPT_OPS, DOMAIN, DOMAIN_VERSION, OPSET
from edgebin.kernels.packing import bit_row_bytes
from edgebin.passes.epilogue import static_shape
from edgebin.passes.fused import LEADING_INPUTS, words

# Ops whose last leading input is a weight, with a row for each column of the values.
_WEIGHTED = frozenset(
    ("FusedBinaryLinear", "FusedTernaryLinear", "FusedSignedLinear", "FusedBinaryConv", "FusedLinear")
)
_FLOAT, _DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE


@dataclass(frozen=True)
class _Call:
    """A fused node as its body sees it: `leading` inputs, `operands` of the epilogue by name, columns `n`."""

    node: ir.Node
    leading: tuple[Value, ...]
    operands: dict[str, Value]
    n: int

    def integer(self, name: str) -> int:
        return self.node.attributes[name].as_int()

    @property
    def shape(self) -> Shape:
        """Of the values before the epilogue."""
        return (*self.leading[0].shape[:-1], self.n)


def attach_fused_functions(model: onnx.ModelProto, lowered: ir.Model) -> None:
    """Gives each of our nodes in `model`, which is `lowered` as a proto, its body and the overload that names it.

    Raises:
        UnsupportedOp: one of our ops has no body.
    """
    made: dict[object, onnx.FunctionProto] = {}
    count: Counter[str] = Counter()
    for proto, node in zip(model.graph.node, lowered.graph, strict=True):
        if node.domain != DOMAIN:
            continue
        key = _signature(node)
        if key not in made:
            count[node.op_type] += 1
            made[key] = _function(node, str(count[node.op_type]))
        proto.overload = made[key].overload
    called = {inner.op_type for function in made.values() for inner in function.node if inner.domain == DOMAIN}
    del model.functions[:]
    model.functions.extend([*functions_for(called), *made.values()])


def _signature(node: ir.Node) -> object:
    attributes = tuple(sorted((name, str(a.value)) for name, a in node.attributes.items() if name != "variant"))
    values = [value for value in (*node.inputs, *node.outputs) if value is not None]
    return node.op_type, attributes, "variant" in node.attributes, tuple((v.dtype, static_shape(v)) for v in values)


def _function(node: ir.Node, overload: str) -> onnx.FunctionProto:
    if node.op_type in CONCEPT_OPS:
        function = onnx.FunctionProto()
        function.CopyFrom(CONCEPT_OPS[node.op_type].function)
    elif node.op_type == "FusedStencil":
        function = _stencil(node)
    elif node.op_type in _PRODUCTS:
        function = _with_epilogue(node)
    else:
        raise UnsupportedOp(node.name or "", f"the op `{node.op_type}` has no body in standard ops", hint="write one")
    function.overload = overload
    del function.attribute[:]
    function.attribute.extend(sorted(node.attributes))
    return function


def _make(node: ir.Node, inputs: list[str], outputs: list[str], body: Body) -> onnx.FunctionProto:
    opsets = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(DOMAIN, DOMAIN_VERSION)]
    return onnx.helper.make_function(DOMAIN, node.op_type, inputs, outputs, body.nodes, opsets)


def _stencil(node: ir.Node) -> onnx.FunctionProto:
    names = ["x", "taps", "bias", "skip"][: len(node.inputs)]
    shape, body = static_shape(node.outputs[0]), Body()
    inputs = [Value(name, shape) for name in names]
    y = body.add("PlusStencil", inputs[:3], shape, ours=True, circular=node.attributes["circular"].as_int())
    if len(inputs) > 3:
        y = body.add("Add", [y, inputs[3]], shape)
    body.rename(y, "y")
    return _make(node, names, ["y"], body)


def _with_epilogue(node: ir.Node) -> onnx.FunctionProto:
    leading_count = LEADING_INPUTS[node.op_type]
    names = [f"x{i}" for i in range(leading_count)] + words(node.attributes["operands"].as_string())
    values = [Value(name, static_shape(v)) for name, v in zip(names, node.inputs, strict=True) if v is not None]
    last = values[leading_count - 1].shape
    n = last[0] if node.op_type in _WEIGHTED else last[-1]
    call = _Call(node, tuple(values[:leading_count]), {v.name: v for v in values[leading_count:]}, n)
    body, results = Body(), words(node.attributes["results"].as_string())
    v = _finish(body, call, _PRODUCTS[node.op_type](body, call))
    for result, output in zip(results, node.outputs, strict=True):
        stored = _pooled(body, v, call.integer("pool")) if result == "out" else _bits(body, v, call, result)
        body.rename(body.reshape(stored, static_shape(output)), result)
    return _make(node, names, results, body)


def _scaled_by(concept: str, *attributes: str) -> Callable[[Body, _Call], Value]:
    """The concept op that has scale and bias itself."""

    def product(body: Body, call: _Call) -> Value:
        scale = call.operands.get("scale") or body.filled(1.0, call.n)
        bias = call.operands.get("bias") or body.filled(0.0, call.n)
        values = {name: call.integer(name) for name in attributes}
        return body.add(concept, [*call.leading, scale, bias], call.shape, ours=True, **values)

    return product


def _linear(body: Body, call: _Call) -> Value:
    x, weight = call.leading
    columns = body.add("Transpose", [weight], weight.shape[::-1], perm=[1, 0])
    return _scale_and_bias(body, call, body.add("MatMul", [x, columns], call.shape))


def _matmul(body: Body, call: _Call) -> Value:
    return _scale_and_bias(body, call, body.add("MatMul", call.leading, call.shape))


def _rows(body: Body, call: _Call) -> Value:
    [x] = call.leading
    return _scale_and_bias(body, call, body.cast(x, _FLOAT) if call.node.inputs[0].dtype == ir.DataType.INT32 else x)  # type: ignore[union-attr]


def _layer_norm(body: Body, call: _Call) -> Value:
    ones = body.filled(1.0, call.n)
    epsilon = call.node.attributes["epsilon"].as_float()
    normal = body.add("LayerNormalization", [*call.leading, ones], call.shape, axis=-1, epsilon=epsilon)
    return _scale_and_bias(body, call, normal)


_PRODUCTS: dict[str, Callable[[Body, _Call], Value]] = {
    "FusedBinaryLinear": _scaled_by("BinaryLinear", "k"),
    "FusedTernaryLinear": _scaled_by("TernaryLinear", "k"),
    "FusedSignedLinear": _scaled_by("SignedLinear", "k"),
    "FusedBinaryConv": _scaled_by("BinaryConv2d", "kernel", "dilation", "groups", "channels"),
    "FusedLinear": _linear,
    "FusedMatMul": _matmul,
    "FusedRows": _rows,
    "FusedLayerNorm": _layer_norm,
}


def _scale_and_bias(body: Body, call: _Call, v: Value) -> Value:
    return _multiply_add(body, v, call.operands.get("scale"), call.operands.get("bias"))


def _multiply_add(body: Body, v: Value, scale: Value | None, bias: Value | None) -> Value:
    """fma(v, scale, bias), or their sum where there is no scale."""
    if scale is not None:
        bias = bias or body.filled(0.0, v.shape[-1])
        return body.add("ScaleAndBias", [body.cast(v, _DOUBLE), scale, bias], v.shape, ours=True)
    return v if bias is None else body.add("Add", [v, bias], v.shape)


def _finish(body: Body, call: _Call, v: Value) -> Value:
    """The stages after scale and bias, in edgebin.h's order."""
    given = call.operands
    for name in sorted(name for name in given if name.startswith("residual")):
        v = body.add("Add", [v, _repeated(body, given[name], v.shape)], v.shape)
    if "slope" in given:
        v = body.add("PRelu", [v, given["slope"]], v.shape)
    if "offset" in given:
        v = body.add("Add", [v, given["offset"]], v.shape)
    v = _multiply_add(body, v, given.get("gain"), given.get("shift"))
    if "skip" in given:
        v = body.add("Add", [v, body.reshape(given["skip"], v.shape)], v.shape)
    return v


def _repeated(body: Body, residual: Value, shape: Shape) -> Value:
    """A residual's columns side by side until they are as many."""
    columns = residual.shape[-1]
    rows = body.reshape(residual, (*shape[:-1], columns))
    return rows if columns == shape[-1] else body.add("Concat", [rows] * (shape[-1] // columns), shape, axis=-1)


def _pooled(body: Body, v: Value, pool: int) -> Value:
    """The mean over neighbours, added pairwise as edgebin.h says."""
    if pool <= 1:
        return v
    left = pool
    while left > 1:
        columns = v.shape[-1] // 2
        pairs = body.reshape(v, (*v.shape[:-1], columns, 2))
        last = body.integers([-1])
        v = body.add("ReduceSum", [pairs, last], (*v.shape[:-1], columns), keepdims=0)
        left //= 2
    return body.add("Mul", [v, body.filled(1.0 / pool, 1)], v.shape)


def _bits(body: Body, v: Value, call: _Call, result: str) -> Value:
    threshold = call.operands[result.replace("bits", "threshold")]
    return body.add("SignPack", [v, threshold], (*v.shape[:-1], bit_row_bytes(call.n)), ours=True)
