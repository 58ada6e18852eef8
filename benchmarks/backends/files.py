"""The files of a model for each runtime on a target, and our libraries for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import onnx_ir as ir

from edgebin.backends import ort
from edgebin.backends.tflite import build as delegate
from edgebin.backends.tflite import models
from edgebin.bundle.compile import kernel_paths
from edgebin.kernels.choose import by_model
from edgebin.passes import choose_kernels, lower
from edgebin.targets import Target
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.runtime import Backend


@dataclass(frozen=True)
class Files:
    """A model's file and our library for it.

    `nodes`: the ONNX node of each run that the library reports, by the name it reports, where that is another.
    """

    model: Path
    library: Path
    nodes: Mapping[str, str] = field(default_factory=dict)


def lowered_for(model: onnx.ModelProto, target: Target, backend: Backend, *, batch: int = 1) -> ir.Model:
    """An exported model lowered for a backend, whose kernels have been chosen for the target.

    Raises:
        CompileError: one of its ops cannot be lowered.
    """
    lowered = ir.from_proto(model)
    lower(lowered, batch=batch, backend=backend)
    choose_kernels(lowered, by_model(kernel_paths(target), target.core), cores=target.cores)
    return lowered


def onnx_files(lowered: ir.Model, library: Path, folder: Path) -> Files:
    """For onnxruntime.

    Raises:
        UnsupportedOp: one of our ops has no body.
    """
    path = folder / "model.onnx"
    path.write_bytes(ort.optimised_model(lowered).SerializeToString())
    return Files(path, library)


def tflite_files(lowered: ir.Model, library: Path, folder: Path) -> Files:
    """For tflite_runtime and ai_edge_litert. The delegate takes every custom op.

    Raises:
        UnsupportedOp: an op has no counterpart in TFLite.
    """
    path = folder / "model.tflite"
    written = models.build_model(lowered)
    path.write_bytes(written.content)
    return Files(path, library, {operator.result: operator.node for operator in written.operators})


def twin_tflite(twin: Path, folder: Path) -> Path:
    """A full-precision ONNX file as a `.tflite` of builtin ops.

    Raises:
        UnsupportedOp: an op has no counterpart in TFLite.
    """
    path = folder / "fp32.tflite"
    path.write_bytes(models.build_float_model(ir.from_proto(onnx.load(twin)), 1).content)
    return path


def onnx_library(target: Target, folder: Path) -> Path:
    """Our custom ops for onnxruntime on the target.

    Raises:
        ToolchainError: the compiler failed.
    """
    return ort.build_library(target, find_compiler(target), folder / ort.LIBRARY_NAME)


def tflite_library(target: Target, folder: Path) -> Path:
    """Our delegate for TFLite on the target.

    Raises:
        ToolchainError: the compiler failed.
    """
    return delegate.build_library(target, find_compiler(target), folder / delegate.LIBRARY_NAME)
