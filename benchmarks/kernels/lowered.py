"""The kernel calls of a network, from the network: what its graph consists of once edgebin has lowered it, batch 1.

A stencil's wrapping round and the values of tables are left out: they change no instruction count worth speaking of.
"""

from __future__ import annotations

from collections import Counter

import onnx_ir as ir
import torch

from benchmarks.kernels.shapes import Call, epilogue_names
from edgebin.graph.export import export_module
from edgebin.models.config import ModelConfig
from edgebin.models.registry import construct
from edgebin.nn.freeze import freeze
from edgebin.passes import lower
from edgebin.passes.node_call import is_kernel_call, node_call


def lowered_calls(config: ModelConfig) -> list[Call]:
    """The distinct kernel calls of an untrained network of this configuration, in the order it makes them.

    Raises:
        CompileError: a fused op that no kernel is known for.
    """
    torch.manual_seed(0)
    network = freeze(construct(config).eval())
    model = ir.from_proto(export_module(network, torch.zeros(1, 3, config.image_size, config.image_size)))
    lower(model, batch=1)
    counts: Counter[Call] = Counter()
    for node in model.graph:
        if is_kernel_call(node):
            call = node_call(node)
            counts[Call(call.shape.op, call.shape.dims, _named(call.shape.out))] += call.times
    return [Call(call.op, call.dims, call.out, times) for call, times in counts.items()]


def _named(out: str) -> str:
    """The epilogue as the probe has it: a name if there is one."""
    return next((name for name, spelt in epilogue_names().items() if spelt == out), out)
