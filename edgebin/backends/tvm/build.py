"""Relax module → `module.so`: TVM compiles what is not ours, a C compiler our glue and kernels, one link joins them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import tvm
from tvm import relax
from tvm.relax.backend.cpu_generic import pipeline

from edgebin.backends.tvm.glue import Glue
from edgebin.backends.tvm.importer import imported
from edgebin.backends.tvm.node_names import named, set_apart
from edgebin.backends.tvm.relax_ops import collecting
from edgebin.kernels.build import compile_flags, compile_variants, include_dir
from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler


@dataclass(frozen=True)
class CompiledModule:
    """A linked TVM module.

    `calls` maps the name of each function that is a kernel call, as a profile of the module names it, to the name of
    its node; every other function is TVM's own code. `own` has those of TVM's own that are about one node, with its op
    and name. `glue` is the C source that was compiled in.
    """

    library: Path
    calls: Mapping[str, str]
    own: Mapping[str, tuple[str, str]]
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
    with collecting(glue), tvm_target, tvm.transform.PassContext(opt_level=3):
        # TVM's own pipeline for processors, with names given on the way.
        module = set_apart(relax.transform.LegalizeOps()(module))
        first = pipeline.library_dispatch_passes(tvm_target) + pipeline.legalize_passes(tvm_target)
        module, own = named(tvm.transform.Sequential(first)(module), model.graph.node)
        last = pipeline.dataflow_lower_passes(tvm_target) + pipeline.finalize_passes(tvm_target)
        executable = relax.build(module, target=tvm_target, relax_pipeline=tvm.transform.Sequential(last))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source, glue_object = folder / "glue.c", folder / "glue.o"
        source.write_text(glue.source())
        flags = ["-c", "-fPIC", *compile_flags("scalar"), f"-I{include_dir()}", f"-I{resource_dir('kernels')}"]
        compiler.compile([source], glue_object, flags)
        used = dict.fromkeys(call.variant for call in glue.calls.values())
        objects = [glue_object, *compile_variants(used, compiler, folder)]
        executable.export_library(str(output), fcompile=compiler.tvm_fcompile(), addons=[str(path) for path in objects])
    calls = {name: call.label for name, call in glue.calls.items()}
    return CompiledModule(output, calls, own, glue.source())
