"""`edgebin compile`: an export folder → a bundle for one target."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnx_ir as ir

import edgebin
from edgebin.bundle.artefacts import Artefacts, build_artefacts
from edgebin.bundle.layers import LAYERS_NAME, golden_layers
from edgebin.bundle.manifest import (
    FORM_BACKENDS,
    GOLDEN_INPUTS_NAME,
    GOLDEN_OUTPUTS_NAME,
    RUNNER_NAME,
    Form,
    Manifest,
    ModelInfo,
    Operation,
    TensorSpec,
    Tolerance,
    TunedCall,
    Tuning,
)
from edgebin.bundle.npz import npz_bytes
from edgebin.bundle.source import Source, read_source
from edgebin.bundle.write import write_bundle
from edgebin.errors import InputError
from edgebin.graph.golden import RELATIVE_TOLERANCE
from edgebin.kernels.choose import by_model
from edgebin.kernels.select import usable_paths
from edgebin.kernels.tuner import Tuner
from edgebin.passes import asked_calls, choose_kernels, lower
from edgebin.passes.node_call import NodeCall
from edgebin.targets import Target
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.elf import check_elf, newest_glibc
from edgebin.toolchain.runner import build_runner
from edgebin.toolchain.runtime import Backend, runtime_libraries

Say = Callable[[str], None]


@dataclass(frozen=True)
class CompileResult:
    """A bundle that was written; `manifest` is the one in it. `random`: its weights are not the checkpoint's."""

    bundle: Path
    manifest: Manifest
    size_bytes: int
    random: bool


def compile_bundle(
    model: Path | Source,
    target: Target,
    output: Path,
    *,
    backend: Backend = "tvm",
    form: Form = "binary",
    batch: int = 1,
    compiler: Literal["auto", "zig", "gcc"] = "auto",
    fetch: bool = False,
    tuner: Tuner | None = None,
    check: Callable[[Path], None] | None = None,
    say: Say = lambda _: None,
) -> CompileResult:
    """Lower, compile, link and pack a model for `target`.

    Args:
        model: a folder that `edgebin export` wrote, or the `model.onnx` in it; or what was read already.
        output: the bundle to write; it appears only after `check` has accepted it.
        backend: in whose format the model is written, and whose runtime the bundle carries.
        form: "full-precision": the twin, on TVM or TFLite; "lce-only": only ops of Larq Compute Engine and of TFLite.
        batch: images per inference; it is fixed in the compiled module.
        compiler: who compiles glue, kernels and runner.
        fetch: whether the target's runtime libraries may be downloaded if they are not in the cache.
        tuner: measures which kernels are fastest on the target's machine; None: `edgebin.kernels.choose` says.
        check: called with the finished bundle under a temporary name; raises if it is not right.
        say: told about each step.

    Raises:
        InputError: the model cannot be read, or the options do not belong together.
        CompileError: one of its ops cannot be lowered.
        ToolchainError: a compiler or runtime library is missing or failed.
    """
    check_form(backend, form, tuned=tuner is not None)
    source = model if isinstance(model, Source) else read_source(model, form)
    libraries = runtime_libraries(target, backend, fetch=fetch, say=say)
    builder = find_compiler(target, compiler)
    paths = kernel_paths(target)
    graph, calls = ir.from_proto(source.model), {}
    if form == "binary" or backend == "tvm":
        say(f"lowering {len(source.model.graph.node)} nodes to kernel calls")
        lower(graph, batch=batch, backend=backend)
        choose = by_model(paths, target.core)
        if tuner is not None:
            tuner.measure_all(asked_calls(graph, cores=target.cores), paths)
            choose = tuner.choose_for(paths)
        calls = choose_kernels(graph, choose, cores=target.cores)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".compile-") as name:
        scratch = Path(name)
        runner, partial = scratch / RUNNER_NAME, scratch / output.name
        say(f"compiling for {target.name} ({target.core.name})" + (f", kernels: {paths[0]}" if calls else ""))
        made = build_artefacts(backend, form, graph, target, builder, scratch, batch=batch)
        for warning in made.warnings:
            say(f"note: {warning}")
        for program in made.programs:
            check_elf(program, target)
        build_runner(target, builder, libraries, runner, backend)
        draft = Manifest(
            edgebin=edgebin.__version__,
            backend=backend,
            form=form,
            runtimes=dict(libraries.versions),
            target=target,
            features=target.features,
            glibc=newest_glibc([*made.programs, runner, *libraries.paths]),
            kernel_path=paths[0],  # type: ignore[arg-type]  # checked by the model
            model=ModelInfo(
                id=source.model_id,
                config=dict(source.config),
                source_sha256=hashlib.sha256(source.model.SerializeToString(deterministic=True)).hexdigest(),
            ),
            batch=batch,
            inputs=_specs(graph.graph.inputs),
            outputs=_specs(graph.graph.outputs),
            tolerance=Tolerance(atol=source.tolerance, rtol=RELATIVE_TOLERANCE),
            operations=_operations(graph, calls, made),
            tuning=None if tuner is None else _tuning(tuner),
        )
        contents = {
            **made.files,
            RUNNER_NAME: runner,
            **{f"lib/{name}": library for name, library in libraries.files.items()},
            **_golden_files(source, graph, made, backend),
        }
        manifest = write_bundle(partial, draft, contents)
        if check is not None:
            say("verifying the bundle on its golden inputs")
            check(partial)
        os.replace(partial, output)
    return CompileResult(output, manifest, output.stat().st_size, source.random)


def check_form(backend: Backend, form: Form, *, tuned: bool) -> None:
    """Makes sure that these options mean something together.

    Raises:
        InputError: they do not.
    """
    if backend not in FORM_BACKENDS[form]:
        backends = " or ".join(FORM_BACKENDS[form])
        raise InputError(
            f"`--{form}` is for backend {backends}, not for {backend}",
            hint=f"add `--backend {FORM_BACKENDS[form][0]}`, or leave `--{form}` out",
        )
    if form != "binary" and backend != "tvm" and tuned:
        raise InputError(
            f"`--tune` has nothing to choose with `--{form}`: the file names no kernel of ours",
            hint="leave one of them out",
        )


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


def _golden_files(source: Source, graph: ir.Model, made: Artefacts, backend: Backend) -> dict[str, Path | bytes]:
    files: dict[str, Path | bytes] = {
        GOLDEN_INPUTS_NAME: npz_bytes(source.inputs),
        GOLDEN_OUTPUTS_NAME: npz_bytes(source.outputs),
    }
    layers_of = {function: node for function, node in made.functions.items() if function not in made.inner}
    if layers_of:
        image = {name: array[:1] for name, array in source.inputs.items()}
        layers = golden_layers(source.model, graph, layers_of, image, words=backend == "tflite")
        files[LAYERS_NAME] = npz_bytes(layers)
    return files


def _operations(graph: ir.Model, calls: Mapping[str, NodeCall], made: Artefacts) -> tuple[Operation, ...]:
    """One for each function of the runtime that is ours."""
    nodes = {node.name: node for node in graph.graph}
    return tuple(
        Operation(
            function=function,
            kind=made.ops.get(function) or calls[node].shape.kernel,
            variant=nodes[node].attributes["variant"].as_string() if node in calls else None,
            nodes=(node,),
            macs=calls[node].macs if node in calls else 0,
            bytes_=calls[node].bytes_ if node in calls else 0,
        )
        for function, node in made.functions.items()
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
