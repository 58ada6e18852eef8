"""From an exported graph to one whose `edgebin` ops are kernel calls.

Each pass is one module that says what it rewrites in its first lines; `PASSES` is their order.
"""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

from edgebin.passes.bypass_reshapes import bypass_reshapes
from edgebin.passes.choose_kernels import asked_calls, choose_kernels
from edgebin.passes.constant_gather import slice_constant_gathers
from edgebin.passes.convolution import lower_convolution
from edgebin.passes.fuse_epilogues import fuse_epilogues
from edgebin.passes.fused import DOMAIN, record_shapes
from edgebin.passes.gelu import expand_gelu
from edgebin.passes.kernel_calls import lower_to_kernel_calls
from edgebin.passes.layer_norm import lower_layer_norm
from edgebin.passes.linear import lower_linear
from edgebin.passes.nested_sums import flatten_sums
from edgebin.passes.patch_embedding import lower_patch_embedding
from edgebin.passes.pooled_output import pool_outputs
from edgebin.passes.static_shapes import fix_batch
from edgebin.passes.stencil_skip import add_in_stencils
from edgebin.passes.tiled_residuals import read_tiled_residuals
from edgebin.passes.write_reshaped import write_reshaped

__all__ = ["PASSES", "RUNTIME_PASSES", "asked_calls", "choose_kernels", "lower"]

PASSES: tuple[Callable[[ir.Model], None], ...] = (
    slice_constant_gathers,
    lower_patch_embedding,
    lower_linear,
    lower_layer_norm,
    lower_to_kernel_calls,
    add_in_stencils,
    bypass_reshapes,
    read_tiled_residuals,
    fuse_epilogues,
    flatten_sums,
    pool_outputs,
)

# What suits one runtime only, after all others.
RUNTIME_PASSES: dict[str, tuple[Callable[[ir.Model], None], ...]] = {
    "tvm": (expand_gelu, lower_convolution),
    "tflite": (write_reshaped,),
    "ort": (write_reshaped,),
}


def lower(model: ir.Model, *, batch: int, backend: str = "tvm") -> None:
    """Rewrite an exported model in place for a backend: shapes fixed, concept ops turned into fused ops.

    Raises:
        CompileError: a shape depends on more than the batch.
    """
    fix_batch(model, batch)
    model.opset_imports[DOMAIN] = 1
    for rewrite in (*PASSES, *RUNTIME_PASSES[backend]):
        rewrite(model)
    RemoveUnusedNodesPass()(model)
    TopologicalSortPass()(model)
    record_shapes(model)
