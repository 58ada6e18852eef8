"""`libedgebin_ort.so`: the kernels of a target as onnxruntime's custom ops."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from edgebin.kernels.build import compile_dispatch, compile_flags, compile_objects, include_dir
from edgebin.kernels.select import usable_paths, with_tunings
from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.compiler import Compiler, find_compiler

LIBRARY_NAME = "libedgebin_ort.so"
_HIDDEN = "-fvisibility=hidden"


def build_library(target: Target, compiler: Compiler, output: Path) -> Path:
    """A custom-op library for onnxruntime 1.21 or newer with every kernel that the target can run.

    It exports `RegisterCustomOps` and `edgebin_observe`, and splits rows into as many parts as the target has cores.

    Raises:
        ToolchainError: the compiler failed.
    """
    usable = usable_paths(target.arch, frozenset(target.features))
    paths = with_tunings(path for path in target.kernel_paths if path in usable)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".objects-") as scratch:
        folder = Path(scratch)
        objects = [*compile_objects(paths, compiler, folder, [_HIDDEN]), *compile_dispatch(compiler, folder, [_HIDDEN])]
        for source in sorted((resource_dir("kernels") / "ort").glob("*.c")):
            objects.append(folder / f"ort-{source.stem}.o")
            flags = ["-c", "-fPIC", *compile_flags("scalar"), _HIDDEN, f"-DEB_PARTS={target.cores}"]
            compiler.compile([source], objects[-1], [*flags, f"-I{include_dir()}"])
        compiler.compile(objects, output, ["-shared", "-s", f"-Wl,-soname,{LIBRARY_NAME}", "-lm"])
    return output


def cached_library(target: Target) -> Path:
    """The same from the cache, if it was built before.

    Raises:
        ToolchainError: no compiler, or it failed.
    """
    compiler = find_compiler(target)
    digest = hashlib.sha256(repr((compiler.argv, target.kernel_paths, target.features, target.cores)).encode())
    kernels = resource_dir("kernels")
    for file in sorted(path for path in kernels.rglob("*") if path.suffix in (".c", ".h", ".inc")):
        digest.update(f"{file.relative_to(kernels)}\n".encode() + file.read_bytes())
    output = cache_dir("programs", digest.hexdigest()[:16]) / LIBRARY_NAME
    return output if output.is_file() else build_library(target, compiler, output)
