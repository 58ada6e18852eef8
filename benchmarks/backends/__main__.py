"""`python -m benchmarks.backends EXPORT... --json FILE`: what each layer executes on ARM under each backend.

One inference of each export folder is counted under QEMU, one thread: the TVM bundle on our runner, and the real
aarch64 wheels of onnxruntime, tflite_runtime and ai_edge_litert with our libraries in them. With --fp32 the
full-precision twin on the stock runtimes too. The tables go to stderr as they are made, the rows to FILE.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.backends.emulated import RUNTIMES, TFLITE_RUNTIMES, Job
from benchmarks.backends.executed import Executed, executed_by_library, executed_by_module
from benchmarks.backends.files import lowered_for, onnx_files, onnx_library, tflite_files, tflite_library, twin_tflite
from benchmarks.backends.report import layer_rows, print_layers, print_runtimes, runtime_rows, worst
from benchmarks.kernels.arm import qemu_version
from benchmarks.kernels.report import write_report
from edgebin.bundle import Bundle, open_bundle
from edgebin.bundle.compile import compile_bundle
from edgebin.bundle.source import Source, read_source
from edgebin.errors import EdgebinError
from edgebin.profile.baselines.twin import export_twin
from edgebin.targets import Target, load_target
from edgebin.toolchain.userland import userland

BINARY_KERNELS = ("b1_gemm", "b1_conv", "b1_attention", "b1_relative_attention", "b1_biased_attention", "w1_gemm")
METHODS = {
    "instructions": "Executed by one inference after the first, counted under QEMU. Every one is counted; how many the "
    "C library's allocator takes differs a little from run to run, which shows in small layers. A layer's are those "
    "between the marks round its kernel call, the call's own set-up in that backend included.",
    "between_nodes": "The runtime's own work from the first kernel call to the last, its own operators included, and "
    "for TVM all else that the inference executes.",
    "outside": "Before the first kernel call and after the last: the runtime's entry and exit, and Python's.",
    "model_cycles": "Executed blocks costed with the core's issue rates; caches always hit. No board has confirmed it.",
}


def main() -> None:
    """Counts what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.backends", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exports", nargs="+", type=Path, metavar="EXPORT", help="folders that `edgebin export` wrote")
    parser.add_argument("--targets", nargs="+", default=["rpi4b", "rpi5"], metavar="TARGET")
    parser.add_argument("--fp32", action="store_true", help="the full-precision twin on the stock runtimes too")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the rows go")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    runtimes: list[dict[str, Any]] = []
    try:
        packages = userland(fetch=True).packages
        for target in map(load_target, options.targets):
            with tempfile.TemporaryDirectory() as scratch:
                libraries = {
                    "onnx": onnx_library(target, Path(scratch)),
                    "tflite": tflite_library(target, Path(scratch)),
                }
                for export in options.exports:
                    layers, inferences = _figures(export, target, libraries, fp32=options.fp32)
                    rows += layers
                    runtimes += inferences
    except EdgebinError as error:
        sys.exit(f"error: {error}" + (f"\n\nhint: {error.hint}" if error.hint else ""))
    for backend in rows[0]["ratio"]:
        if found := worst(rows, backend, BINARY_KERNELS):
            where = f"{found['layer']} of {found['model']} on {found['target']} ({found['kernel']}, {found['variant']})"
            print(f"\nworst binary layer, {backend}: {found['ratio'][backend]:.3f} x TVM's, {where}", file=sys.stderr)
    write_report(
        {"rows": rows, "inferences": runtimes, "methods": METHODS, "qemu": qemu_version(), "packages": packages},
        options.json,
    )


def _figures(
    export: Path, target: Target, libraries: dict[str, Path], *, fp32: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = read_source(export, "binary")
        bundle = open_bundle(compile_bundle(export, target, folder / "tvm.ebz", fetch=True).bundle)
        executed = {"tvm": executed_by_module(bundle), **_on_runtimes(source, target, libraries, folder)}
        layers = layer_rows(export.name, target.id, bundle.manifest.operations, executed)
        print_layers(layers, sys.stderr)
        if fp32:
            executed |= _full_precision(source, bundle, folder)
        inferences = runtime_rows(export.name, target.id, executed)
        print_runtimes(inferences, sys.stderr)
    return layers, inferences


def _on_runtimes(source: Source, target: Target, libraries: dict[str, Path], folder: Path) -> dict[str, Executed]:
    for_onnx = onnx_files(lowered_for(source.model, target, "ort"), libraries["onnx"], folder)
    for_tflite = tflite_files(lowered_for(source.model, target, "tflite"), libraries["tflite"], folder)
    files = {"onnxruntime": for_onnx, **dict.fromkeys(TFLITE_RUNTIMES, for_tflite)}
    image = {name: array[:1] for name, array in source.inputs.items()}
    return {
        runtime: executed_by_library(target, Job(runtime, of.model, image, of.library), folder / runtime, of.nodes)
        for runtime, of in files.items()
    }


def _full_precision(source: Source, bundle: Bundle, folder: Path) -> dict[str, Executed]:
    """The twin has random weights, which do not matter for how many instructions run."""
    twin = export_twin(bundle.manifest.model, folder / "fp32.onnx")
    image = {twin.input_name: next(iter(source.inputs.values()))[:1]}
    tflite = twin_tflite(twin.path, folder)
    return {
        f"{runtime} fp32": executed_by_library(
            bundle.manifest.target,
            Job(runtime, twin.path if runtime == "onnxruntime" else tflite, image),
            folder / f"{runtime}-fp32",
            {},
        )
        for runtime in RUNTIMES
    }


if __name__ == "__main__":
    main()
