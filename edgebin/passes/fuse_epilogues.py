"""Kernel calls swallow the elementwise calls behind them, and the packing of their own result.

    y = F(…);  z = FusedRows(y; e)             →   z = F(…; then e)              y has no other use
    y = F(…);  z = FusedRows(x; residual = y)  →   z = F(…; then + x …)          y has no other use
    y = F(…);  FusedRows(y; threshold) → bits  →   y, bits = F(…; threshold)     y may have other uses
    FusedRows(x; s) → b;  FusedRows(x; t) → c  →   b, c = FusedRows(x; s, t)     x comes from elsewhere

GEMMs go first, so that a sum of a GEMM's result and something else is finished by the GEMM.
"""

from __future__ import annotations

from dataclasses import replace

import onnx_ir as ir

from edgebin.passes.epilogue import MAX_BIT_PLANES, static_shape
from edgebin.passes.fused import (
    LEADING_INPUTS,
    fused_node,
    has_epilogue,
    only_user,
    own_attributes,
    read_epilogue,
    take_over,
)


def fuse_epilogues(model: ir.Model) -> None:
    """Apply the rules until none fits."""
    graph = model.graph
    for only_rows in (False, True):
        for node in list(graph):
            if node.graph is graph and has_epilogue(node) and (node.op_type == "FusedRows") is only_rows:
                _grow(graph, node)
    for node in list(graph):
        if node.graph is graph and node.op_type == "FusedRows" and _only_packs(node, node.inputs[0]):
            _merge_packers(graph, node)


def _merge_packers(graph: ir.Graph, packer: ir.Node) -> None:
    """Let one node pack all bits of the tensor that the packer reads."""
    x = packer.inputs[0]
    assert x is not None
    siblings = [use.node for use in x.uses() if _only_packs(use.node, x)][:MAX_BIT_PLANES]
    if len(siblings) < 2:
        return
    thresholds = tuple(threshold for sibling in siblings for threshold in read_epilogue(sibling).thresholds)
    if len(thresholds) > MAX_BIT_PLANES:
        return
    epilogue = replace(read_epilogue(packer), thresholds=thresholds)
    fused = fused_node(graph, "FusedRows", [x], epilogue, name=siblings[0].name or "")
    siblings[0].append(fused)
    planes = [output for sibling in siblings for output in sibling.outputs]
    for plane, stale in zip(fused.outputs, planes, strict=True):
        take_over(plane, stale)
    graph.remove(siblings, safe=True)


def _grow(graph: ir.Graph, node: ir.Node) -> None:
    while True:
        following = only_user(node.outputs[0], "FusedRows") if read_epilogue(node).stores_out else None
        fused = following and _absorb(graph, node, following)
        if not fused:
            break
        node = fused
    _attach_bit_planes(graph, node)


def _absorb(graph: ir.Graph, node: ir.Node, following: ir.Node) -> ir.Node | None:
    """The two nodes as one in the place of the second, or `None` where they do not fit."""
    first, second, out = read_epilogue(node), read_epilogue(following), node.outputs[0]
    columns = static_shape(out)[-1]
    if following.inputs[0] is not out:
        x = following.inputs[0]
        assert x is not None
        if x.dtype != ir.DataType.FLOAT or second.scale is not None or second.residuals.count(out) != 1:
            return None
        # x + y (+ others) = y + x (+ others): only a plain sum may be turned round.
        others = tuple(x if value is out else value for value in second.residuals)
        second = replace(second, residuals=others)
    merged = first.then(second, columns=columns)
    if merged is None:
        return None
    leading = [value for value in node.inputs[: LEADING_INPUTS[node.op_type]] if value is not None]
    fused = fused_node(graph, node.op_type, leading, merged, name=node.name or "", attributes=own_attributes(node))
    following.append(fused)
    for fresh, stale in zip(fused.outputs, following.outputs, strict=True):
        take_over(fresh, stale)
    graph.remove(following, safe=True)
    graph.remove(node, safe=True)
    return fused


def _attach_bit_planes(graph: ir.Graph, node: ir.Node) -> None:
    """Let the node pack its own result wherever that is all that a consumer does with it."""
    epilogue = read_epilogue(node)
    if not epilogue.is_open:
        return
    out = node.outputs[0]
    packers = [use.node for use in out.uses() if _only_packs(use.node, out)][:MAX_BIT_PLANES]
    if not packers:
        return
    thresholds = tuple(read_epilogue(packer).thresholds[0] for packer in packers)
    stays = len(out.uses()) > len(packers) or out.is_graph_output()
    merged = replace(epilogue, thresholds=thresholds, stores_out=stays)
    leading = [value for value in node.inputs[: LEADING_INPUTS[node.op_type]] if value is not None]
    fused = fused_node(graph, node.op_type, leading, merged, name=node.name or "", attributes=own_attributes(node))
    node.append(fused)
    planes = list(fused.outputs)[1:] if stays else list(fused.outputs)
    for plane, packer in zip(planes, packers, strict=True):
        take_over(plane, packer.outputs[0])
        graph.remove(packer, safe=True)
    if stays:
        take_over(fused.outputs[0], out)
    graph.remove(node, safe=True)


def _only_packs(node: ir.Node, x: ir.Value | None) -> bool:
    if not has_epilogue(node) or node.op_type != "FusedRows" or node.inputs[0] is not x:
        return False
    epilogue = read_epilogue(node)
    return not epilogue.stores_out and epilogue.stages == {"thresholds"}
