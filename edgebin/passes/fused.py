"""The fused ops: what the concept ops of an exported file become inside `compile`, one kernel call each.

    op                          leading inputs                    kernel
    FusedBinaryLinear <k>       bits, weight                      eb_b1_gemm
    FusedTernaryLinear <k>      negative, not_positive, weight    eb_b1_gemm with two planes
    FusedSignedLinear <k>       x, weight bits                    eb_w1_gemm
    FusedBinaryConv <…>         bits, weight                      eb_b1_conv
    FusedLinear                 x, weight [n, k]                  eb_f32_gemm
    FusedMatMul                 a, b […, k, n]                    eb_f32_gemm, b packed at run time
    FusedRows                   x (float32 or int32)              eb_rows
    FusedLayerNorm <epsilon>    x                                 eb_layernorm
    FusedStencil <circular>     x, taps, bias                     eb_f32_stencil; its only stage is `skip`

All but the stencil carry an `Epilogue`: its tensors are the inputs after the leading ones, named in order by the words
of the attribute `operands`; its outputs are named by `results` (`out`, `bits0`, …). `shapes`, written last, says how
their rows are grouped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from edgebin.passes.epilogue import Epilogue, Vector, static_shape

Array = np.ndarray[Any, np.dtype[Any]]

DOMAIN = "edgebin"
LEADING_INPUTS = {
    "FusedBinaryLinear": 2,
    "FusedTernaryLinear": 3,
    "FusedSignedLinear": 2,
    "FusedBinaryConv": 2,
    "FusedLinear": 2,
    "FusedMatMul": 2,
    "FusedRows": 1,
    "FusedLayerNorm": 1,
}


def words(text: str) -> list[str]:
    """The names in an attribute such as `operands`: one string, for TVM's importer refuses empty lists of strings."""
    return text.split()


def has_epilogue(node: ir.Node | None) -> bool:
    """Whether the node is a fused op that carries an epilogue."""
    return node is not None and node.domain == DOMAIN and node.op_type in LEADING_INPUTS


def constant(value: ir.Value | None) -> Array | None:
    """The value as an array if it is known at compile time."""
    if value is None or value.const_value is None:
        return None
    return value.const_value.numpy()


def add_constant(graph: ir.Graph, name: str, array: Array) -> ir.Value:
    """A new initialiser of the graph; the name is made unique."""
    unique, count = name, 1
    while unique in graph.initializers:
        unique, count = f"{name}_{count}", count + 1
    tensor = ir.tensor(np.ascontiguousarray(array), name=unique)
    value = ir.Value(name=unique, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
    graph.register_initializer(value)
    return value


def read_epilogue(node: ir.Node) -> Epilogue:
    """The epilogue that a fused node carries."""
    names = words(node.attributes["operands"].as_string())
    operands = dict(zip(names, node.inputs[LEADING_INPUTS[node.op_type] :], strict=True))
    results = words(node.attributes["results"].as_string())

    def vector(name: str) -> Vector | None:
        array = constant(operands.get(name))
        return None if array is None else array.astype(np.float64)

    def numbered(prefix: str) -> list[ir.Value]:
        return [value for name, value in operands.items() if name.startswith(prefix) and value is not None]

    return Epilogue(
        scale=vector("scale"),
        bias=vector("bias"),
        residuals=tuple(numbered("residual")),
        slope=vector("slope"),
        offset=vector("offset"),
        gain=vector("gain"),
        shift=vector("shift"),
        skip=operands.get("skip"),
        thresholds=tuple(value.const_value.numpy().astype(np.float64) for value in numbered("threshold")),  # type: ignore[union-attr]
        stores_out="out" in results,
        pool=node.attributes["pool"].as_int(),
    )


def fused_node(
    graph: ir.Graph,
    op_type: str,
    leading: list[ir.Value],
    epilogue: Epilogue,
    *,
    name: str,
    attributes: dict[str, int | float] | None = None,
) -> ir.Node:
    """A fused node, not yet in the graph; its outputs are `out` (if stored), then the bit planes.

    The caller names and types the outputs: only it knows which values they replace.
    """
    operands: dict[str, ir.Value] = {}

    def keep(key: str, array: Vector | None) -> None:
        if array is not None:
            operands[key] = add_constant(graph, f"{name}.{key}", array.astype(np.float32))

    keep("scale", epilogue.scale)
    keep("bias", epilogue.bias)
    operands.update({f"residual{i}": value for i, value in enumerate(epilogue.residuals)})
    keep("slope", epilogue.slope)
    keep("offset", epilogue.offset)
    keep("gain", epilogue.gain)
    keep("shift", epilogue.shift)
    if epilogue.skip is not None:
        operands["skip"] = epilogue.skip
    for index, threshold in enumerate(epilogue.thresholds):
        keep(f"threshold{index}", threshold)
    results = (["out"] if epilogue.stores_out else []) + [f"bits{i}" for i in range(len(epilogue.thresholds))]
    return ir.Node(
        DOMAIN,
        op_type,
        [*leading, *operands.values()],
        attributes=[
            ir.AttrString("operands", " ".join(operands)),
            ir.AttrString("results", " ".join(results)),
            ir.AttrInt64("pool", epilogue.pool),
            *(_number(key, value) for key, value in (attributes or {}).items()),
        ],
        num_outputs=len(results),
        name=name,
    )


def own_attributes(node: ir.Node) -> dict[str, int | float]:
    """A fused node's attributes other than its epilogue's (`k`)."""
    skip = {"operands", "results", "pool", "shapes"}
    return {name: attribute.value for name, attribute in node.attributes.items() if name not in skip}


def _number(name: str, value: int | float) -> ir.Attr:
    return ir.AttrFloat32(name, value) if isinstance(value, float) else ir.AttrInt64(name, value)


def record_shapes(model: ir.Model) -> None:
    """Write the shapes of all results into each fused node: importers see nodes, not the values between them."""
    for node in model.graph:
        if has_epilogue(node):
            shapes = ["x".join(map(str, static_shape(value))) for value in node.outputs]
            node.attributes["shapes"] = ir.AttrString("shapes", " ".join(shapes))


def only_user(value: ir.Value, op_type: str) -> ir.Node | None:
    """The node that reads `value`, if there is just one reader and it is of this type."""
    uses = list(value.uses())
    if len(uses) != 1 or value.is_graph_output() or uses[0].node.op_type != op_type:
        return None
    return uses[0].node


def take_over(new: ir.Value, old: ir.Value) -> None:
    """Let `new` stand wherever `old` did, with its name, type and shape."""
    new.type, new.shape = old.type, old.shape
    name, old.name = old.name, None
    old.replace_all_uses_with(new, replace_graph_outputs=True)
    new.name = name


def replace_node(old: ir.Node, new: ir.Node, outputs: list[tuple[ir.Value, ir.Value]]) -> None:
    """Put `new` where `old` stands; `outputs` pairs each new value with the one that it replaces."""
    old.append(new)
    for fresh, stale in outputs:
        take_over(fresh, stale)
    graph = old.graph
    assert graph is not None
    graph.remove(old, safe=True)
