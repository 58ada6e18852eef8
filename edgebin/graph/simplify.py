"""Simplification of exported graphs: constants folded, redundant nodes taken out, equal ones merged.

It is what PyTorch's exporter does with `optimize=True`, and gives the same graph, but for one rule: onnxscript's search
for pairs of Slices that make a Split goes through the whole graph for each of its nodes, which took a third of the time
of a large export, and finds nothing in our graphs.
"""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes import common
from onnxscript import optimizer, rewriter

_ROUNDS = 2
_QUADRATIC_RULES = {"SlicesSplit"}
_RULES = [rule for rule in rewriter._DEFAULT_REWRITE_RULES if rule.name not in _QUADRATIC_RULES]


def simplify(model: ir.Model) -> None:
    """Simplifies a graph in place."""
    common.InlinePass()(model)
    for _ in range(_ROUNDS):
        folded = optimizer.fold_constants_ir(model, onnx_shape_inference=True)
        rewritten = rewriter.RewritePass(_RULES)(model)
        common.RemoveUnusedNodesPass()(model)
        if not (folded.modified or rewritten.modified):
            break
    for last in (
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.LiftSubgraphInitializersToMainGraphPass(),
        common.DeduplicateInitializersPass(),
        common.CommonSubexpressionEliminationPass(),
        common.RemoveUnusedNodesPass(),
        common.OutputFixPass(),
        common.NameFixPass(),
    ):
        last(model)
