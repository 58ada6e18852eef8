"""What each backend makes of a model: the file that its runtime loads, and our library for that runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx_ir as ir

from edgebin.bundle.manifest import MODEL_NAMES, Form
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.runtime import Backend


@dataclass(frozen=True)
class Artefacts:
    """`files` by their names in the bundle, of which `programs` are compiled for the target.

    `functions` maps what a profile or a layer of the runtime is called to the node of the lowered model that it is.
    """

    files: Mapping[str, Path]
    programs: tuple[Path, ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)


def build_artefacts(
    backend: Backend, form: Form, model: ir.Model, target: Target, compiler: Compiler, folder: Path
) -> Artefacts:
    """Builds in `folder` from a lowered model whose kernels have been chosen; in full precision, not lowered.

    Raises:
        CompileError: the backend cannot say one of the ops.
        ToolchainError: the compiler failed, or a package is missing.
    """
    return tvm_artefacts(model, target, compiler, folder)


def tvm_artefacts(model: ir.Model, target: Target, compiler: Compiler, folder: Path) -> Artefacts:
    """TVM: one library that holds the graph, its weights and our kernels.

    Raises:
        UnsupportedOp: neither edgebin nor TVM can lower one of the ops.
        ToolchainError: the compiler failed.
    """
    from edgebin.backends.tvm import build_module

    output = folder / MODEL_NAMES["tvm"]
    compiled = build_module(ir.to_proto(model), target, compiler=compiler, output=output)
    return Artefacts({output.name: output}, (output,), compiled.calls)
