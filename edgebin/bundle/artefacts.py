"""What each backend makes of a model: the file that its runtime loads, and our library for that runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import onnx_ir as ir

from edgebin.bundle.manifest import MODEL_NAMES, PLUGIN_NAMES, Form
from edgebin.passes.node_call import is_kernel_call
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.packages import TFLITE_WRITER, require_packages
from edgebin.toolchain.runtime import Backend

if TYPE_CHECKING:
    from edgebin.backends.tflite.models import TfliteModel, WrittenOperator

_EDGEBIN = "Edgebin"
_DELEGATED = (_EDGEBIN, "Lce")


@dataclass(frozen=True)
class Artefacts:
    """`files` by their names in the bundle, of which `programs` are compiled for the target.

    `functions` maps what a profile or a layer of the runtime is called to the node of the model that it is. `ops` says
    which op those are that are not called as our kernels, such as `LceBconv2d`; `inner` are those that are a part of
    their node and do not give its result. `warnings` are what a user should know.
    """

    files: Mapping[str, Path]
    programs: tuple[Path, ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)
    ops: Mapping[str, str] = field(default_factory=dict)
    inner: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


def build_artefacts(
    backend: Backend, form: Form, model: ir.Model, target: Target, compiler: Compiler, folder: Path, *, batch: int
) -> Artefacts:
    """Builds in `folder` from a lowered model whose kernels have been chosen.

    For TFLite, forms other than "binary" are built from a model that has not been lowered.

    Raises:
        CompileError: the backend cannot say one of the ops.
        ToolchainError: the compiler failed, or a package is missing.
    """
    if backend == "ort":
        return _ort(model, target, compiler, folder)
    if backend == "tflite":
        return _tflite(form, model, target, compiler, folder, batch)
    return _tvm(model, target, compiler, folder)


def _tvm(model: ir.Model, target: Target, compiler: Compiler, folder: Path) -> Artefacts:
    """One library that holds the graph, its weights and our kernels."""
    from edgebin.backends.tvm import build_module

    output = folder / MODEL_NAMES["tvm"]
    compiled = build_module(ir.to_proto(model), target, compiler=compiler, output=output)
    own = {function: node for function, (_, node) in compiled.own.items()}
    ops = {function: op for function, (op, _) in compiled.own.items()}
    # What TVM fuses into its own functions may come after the node.
    return Artefacts({output.name: output}, (output,), {**compiled.calls, **own}, ops, frozenset(own))


def _ort(model: ir.Model, target: Target, compiler: Compiler, folder: Path) -> Artefacts:
    """The optimised ONNX file, and the library of custom ops."""
    from edgebin.backends.ort import build_library, optimised_model

    file, library = folder / MODEL_NAMES["ort"], folder / PLUGIN_NAMES["ort"]
    file.write_bytes(optimised_model(model).SerializeToString(deterministic=True))
    build_library(target, compiler, library)
    functions = {node.name: node.name for node in model.graph if node.name and is_kernel_call(node)}
    return Artefacts({file.name: file, library.name: library}, (library,), functions)


def _tflite(form: Form, model: ir.Model, target: Target, compiler: Compiler, folder: Path, batch: int) -> Artefacts:
    """The `.tflite` file, and the delegate where it has ops that no builtin is."""
    require_packages(TFLITE_WRITER, "tflite")
    from edgebin.backends.tflite.build import build_library
    from edgebin.backends.tflite.models import build_float_model, build_lce_model, build_model

    if form == "full-precision":
        made = build_float_model(model, batch)
    else:
        made = build_lce_model(model, batch) if form == "lce-only" else build_model(model)
    file, library = folder / MODEL_NAMES["tflite"], folder / PLUGIN_NAMES["tflite"]
    file.write_bytes(made.content)
    if form == "full-precision":
        return Artefacts({file.name: file}, warnings=made.warnings)
    build_library(target, compiler, library)
    # The delegate knows its ops by their results.
    ours = [operator for operator in made.operators if operator.kind.startswith(_DELEGATED)]
    functions = {operator.result: operator.node for operator in ours}
    ops = {operator.result: operator.kind for operator in ours if not operator.kind.startswith(_EDGEBIN)}
    inner = frozenset(operator.result for operator in ours if not _gives_result(made, operator))
    files = {file.name: file, library.name: library}
    return Artefacts(files, (library,), functions, ops, inner, made.warnings)


def _gives_result(made: TfliteModel, operator: WrittenOperator) -> bool:
    """Whether an operator computes what its node does: only its shape may still be changed."""
    later = made.operators[made.operators.index(operator) + 1 :]
    return all(other.kind == "RESHAPE" for other in later if other.node == operator.node)
