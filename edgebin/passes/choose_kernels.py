"""Write into each kernel call which variant of its kernel does it.

FusedBinaryLinear <k, …>   →   FusedBinaryLinear <k, …, variant = "neon_tbl">

Runs last, and for a target: every backend then packs weights for, and calls, the same kernels. Nodes get names of their
own here, for it is by name that calls are spoken of from now on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import onnx_ir as ir

from edgebin.kernels.blocks import row_blocks
from edgebin.kernels.choose import Choose
from edgebin.kernels.shape import CallShape
from edgebin.passes.node_call import NodeCall, is_kernel_call, node_call


def choose_kernels(model: ir.Model, choose: Choose, *, cores: int) -> dict[str, NodeCall]:
    """Ask `choose` once for each call, `cores` sharing its rows; returns the calls by their nodes' names.

    Raises:
        CompileError: no kernel does one of the ops of edgebin's domain.
    """
    taken: Counter[str] = Counter()
    calls: dict[str, NodeCall] = {}
    for node in model.graph:
        if not is_kernel_call(node):
            continue
        stem = node.name or node.op_type
        taken[stem] += 1
        node.name = stem if taken[stem] == 1 else f"{stem}_{taken[stem]}"
        call = calls[node.name] = node_call(node)
        variant = choose(_of_one_core(call, cores))
        node.attributes["variant"] = ir.AttrString("variant", variant.path)
    return calls


def asked_calls(model: ir.Model, *, cores: int) -> list[CallShape]:
    """What `choose_kernels` is going to ask about, in its order."""
    return [_of_one_core(node_call(node), cores) for node in model.graph if is_kernel_call(node)]


def _of_one_core(call: NodeCall, cores: int) -> CallShape:
    if not call.shares_rows:
        return call.shape
    rows, *sizes = call.shape.dims
    return replace(call.shape, dims=(min(rows, row_blocks(rows, cores)[1]), *sizes))
