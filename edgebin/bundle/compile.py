"""`edgebin compile`: an export folder → a bundle for one target."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

import edgebin
from edgebin.backends.tvm import CompiledModule, build_module
from edgebin.bundle.layers import LAYERS_NAME, golden_layers
from edgebin.bundle.manifest import Manifest, ModelInfo, Operation, TensorSpec, Tolerance, TunedCall, Tuning
from edgebin.bundle.npz import npz_bytes, read_npz
from edgebin.bundle.write import write_bundle
from edgebin.errors import InputError
from edgebin.graph.golden import RELATIVE_TOLERANCE
from edgebin.graph.load import load_model
from edgebin.graph.manifest import ExportManifest, read_manifest
from edgebin.kernels.choose import by_model
from edgebin.kernels.select import usable_paths
from edgebin.kernels.tuner import Tuner
from edgebin.passes import choose_kernels, lower
from edgebin.passes.node_call import NodeCall
from edgebin.targets import Target
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.elf import check_elf, newest_glibc
from edgebin.toolchain.runner import build_runner
from edgebin.toolchain.runtime import TVM_FFI_VERSION, TVM_VERSION, runtime_libraries

Say = Callable[[str], None]


@dataclass(frozen=True)
class CompileResult:
    """A bundle that was written; `manifest` is the one in it."""

    bundle: Path
    manifest: Manifest
    size_bytes: int


def compile_bundle(
    model: Path,
    target: Target,
    output: Path,
    *,
    batch: int = 1,
    compiler: Literal["auto", "zig", "gcc"] = "auto",
    fetch: bool = False,
    tuner: Tuner | None = None,
    check: Callable[[Path], None] | None = None,
    say: Say = lambda _: None,
) -> CompileResult:
    """Lower, compile, link and pack a model for `target`.

    Args:
        model: a folder that `edgebin export` wrote, or the `model.onnx` in it.
        output: the bundle to write; it appears only after `check` has accepted it.
        batch: images per inference; it is fixed in the compiled module.
        compiler: who compiles glue, kernels and runner.
        fetch: whether the target's runtime libraries may be downloaded if they are not in the cache.
        tuner: measures which kernels are fastest on the target's machine; None: `edgebin.kernels.choose` says.
        check: called with the finished bundle under a temporary name; raises if it is not right.
        say: told about each step.

    Raises:
        InputError: the model cannot be read.
        CompileError: one of its ops cannot be lowered.
        ToolchainError: a compiler or runtime library is missing or failed.
    """
    folder = model if model.is_dir() else model.parent
    proto = load_model(model)
    exported = read_manifest(folder)
    libraries = runtime_libraries(target, fetch=fetch, say=say)
    builder = find_compiler(target, compiler)
    paths = kernel_paths(target)
    choose = by_model(paths, target.core) if tuner is None else tuner.choose_for(paths)
    say(f"lowering {len(proto.graph.node)} nodes to kernel calls")
    lowered = ir.from_proto(proto)
    lower(lowered, batch=batch)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".compile-") as scratch:
        module, runner, partial = (Path(scratch) / name for name in ("module.so", "runner", output.name))
        say(f"compiling for {target.name} ({target.core.name}), kernels: {paths[0]}")
        calls = choose_kernels(lowered, choose, cores=target.cores)
        compiled = build_module(ir.to_proto(lowered), target, compiler=builder, output=module)
        check_elf(module, target)
        build_runner(target, builder, libraries, runner)
        golden = _golden(folder, exported)
        image = {name: array[:1] for name, array in golden["inputs"].items()}
        contents: dict[str, Path | bytes] = {
            "module.so": module,
            "runner": runner,
            **{f"golden/{name}.npz": npz_bytes(arrays) for name, arrays in golden.items()},
            LAYERS_NAME: npz_bytes(golden_layers(proto, lowered, compiled.calls, image)),
        }
        contents |= {f"lib/{library.name}": library for library in libraries.paths}
        glibc = newest_glibc([module, runner, *libraries.paths])
        draft = _manifest(proto, exported, lowered, calls, compiled, target, glibc, batch, paths[0], tuner)
        manifest = write_bundle(partial, draft, contents)
        if check is not None:
            say("verifying the bundle on its golden inputs")
            check(partial)
        os.replace(partial, output)
    return CompileResult(output, manifest, output.stat().st_size)


def kernel_paths(target: Target) -> tuple[str, ...]:
    """The paths that the target's processor can run, in the target's own order of preference.

    Raises:
        InputError: none.
    """
    usable = usable_paths(target.arch, frozenset(target.features))
    if paths := tuple(path for path in target.kernel_paths if path in usable):
        return paths
    raise InputError(
        f"none of the kernel paths of target `{target.id}` runs on its features: {', '.join(target.kernel_paths)}",
        hint=f"a processor with these features can run: {', '.join(usable)}",
    )


def _golden(folder: Path, exported: ExportManifest) -> dict[str, dict[str, NDArray[np.generic]]]:
    """`inputs` and `outputs` of the golden samples that rounding does not move; of all where it moves each."""
    keep = np.array(exported.golden.stable)
    keep = keep if keep.any() else ~keep
    return {
        name: {key: array[keep] for key, array in read_npz(folder / "golden" / f"{name}.npz").items()}
        for name in ("inputs", "outputs")
    }


def _manifest(
    proto: onnx.ModelProto,
    exported: ExportManifest,
    lowered: ir.Model,
    calls: Mapping[str, NodeCall],
    compiled: CompiledModule,
    target: Target,
    glibc: str,
    batch: int,
    path: str,
    tuner: Tuner | None,
) -> Manifest:
    variants = {node.name: node.attributes["variant"].as_string() for node in lowered.graph if node.name in calls}
    digest = hashlib.sha256(proto.SerializeToString(deterministic=True)).hexdigest()
    return Manifest(
        edgebin=edgebin.__version__,
        tvm=TVM_VERSION,
        tvm_ffi=TVM_FFI_VERSION,
        target=target,
        features=target.features,
        glibc=glibc,
        kernel_path=path,  # type: ignore[arg-type]  # checked by the model
        model=ModelInfo(id=exported.model, config=exported.config, source_sha256=digest),
        batch=batch,
        inputs=_specs(lowered.graph.inputs),
        outputs=_specs(lowered.graph.outputs),
        tolerance=Tolerance(atol=exported.golden.tolerance, rtol=RELATIVE_TOLERANCE),
        operations=tuple(
            Operation(
                function=function,
                kind=calls[node].shape.kernel,
                variant=variants[node],
                nodes=(node,),
                macs=calls[node].macs,
                bytes_=calls[node].bytes_,
            )
            for function, node in compiled.calls.items()
        ),
        tuning=None if tuner is None else _tuning(tuner),
    )


def _tuning(tuner: Tuner) -> Tuning:
    return Tuning(
        machine=tuner.machine,
        date=tuner.date,
        edgebin=edgebin.__version__,
        choices=tuple(
            TunedCall(op=call.op, dims=call.dims, epilogue=call.out, variant=chosen, best_ns=dict(best_ns))
            for call, (chosen, best_ns) in tuner.results.items()
        ),
    )


def _specs(values: Sequence[ir.Value]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name=value.name, dtype=str(value.dtype.numpy()), shape=value.shape.numpy())  # type: ignore[union-attr, arg-type]
        for value in values
    )
