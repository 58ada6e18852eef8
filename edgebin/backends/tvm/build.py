"""Relax module → `module.so`: TVM compiles what is not ours, a C compiler our glue and kernels, one link joins them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import tvm
from tvm import relax

from edgebin.backends.tvm.glue import Glue
from edgebin.backends.tvm.importer import imported
from edgebin.backends.tvm.relax_ops import collecting
from edgebin.kernels.build import compile_flags, compile_variants, include_dir
from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler


@dataclass(frozen=True)
class CompiledModule:
    """A linked TVM module.

    `calls` maps the name of each function that is a kernel call, as a profile of the module names it, to the name of
    its node; every other function is TVM's own code. `glue` is the C source that was compiled in.
    """

    library: Path
    calls: Mapping[str, str]
    glue: str


def build_module(model: onnx.ModelProto, target: Target, *, compiler: Compiler, output: Path) -> CompiledModule:
    """Compile a lowered model whose kernels have been chosen (see `edgebin.passes`) into the shared library `output`.

    Raises:
        UnsupportedOp: neither edgebin nor TVM can lower one of its ops.
        ToolchainError: the C compiler failed.
    """
    glue = Glue(cores=target.cores)
    tvm_target = tvm.target.Target(target.tvm_target())
    # FastMathTransform: without it softmax and GELU call expf and erff once per element.
    module = relax.transform.FastMathTransform()(imported(model))
    pipeline = relax.get_default_pipeline(tvm_target)
    with collecting(glue), tvm_target, tvm.transform.PassContext(opt_level=3):
        executable = relax.build(module, target=tvm_target, relax_pipeline=pipeline)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source, glue_object = folder / "glue.c", folder / "glue.o"
        source.write_text(glue.source())
        flags = ["-c", "-fPIC", *compile_flags("scalar"), f"-I{include_dir()}", f"-I{resource_dir('kernels')}"]
        compiler.compile([source], glue_object, flags)
        used = dict.fromkeys(call.variant for call in glue.calls.values())
        objects = [glue_object, *compile_variants(used, compiler, folder)]
        executable.export_library(str(output), fcompile=compiler.tvm_fcompile(), addons=[str(path) for path in objects])
    return CompiledModule(output, {name: call.label for name, call in glue.calls.items()}, glue.source())
