"""Builds `libedgebin_tflite.so` (`kernels/tflite/`): the kernels of a target as a delegate for TFLite's runtimes."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from edgebin.errors import InputError
from edgebin.kernels.build import compile_dispatch, compile_flags, compile_objects, include_dir
from edgebin.kernels.select import usable_paths, with_tunings
from edgebin.resources import resource_dir
from edgebin.targets import Target, load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.compiler import Compiler, find_compiler
from edgebin.toolchain.elf import check_elf

LIBRARY_NAME = "libedgebin_tflite.so"

_HIDDEN = "-fvisibility=hidden"
_FLAGS = ("-c", "-fPIC", "-Werror", "-pthread", _HIDDEN)
_LINK_FLAGS = ("-shared", "-s", "-pthread", "-lm", "-Wl,-z,max-page-size=65536")


def build_library(target: Target, compiler: Compiler, output: Path) -> Path:
    """The library with the kernels and tunings of all paths that the target's processor can run, stripped.

    Raises:
        ToolchainError: the compiler failed, or what it made needs a newer C library than the target has.
    """
    usable = usable_paths(target.arch, frozenset(target.features))
    paths = with_tunings(path for path in target.kernel_paths if path in usable)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".objects-") as scratch:
        folder = Path(scratch)
        objects = [*compile_objects(paths, compiler, folder, [_HIDDEN]), *compile_dispatch(compiler, folder, [_HIDDEN])]
        for source in sorted((resource_dir("kernels") / "tflite").glob("*.c")):
            objects.append(folder / f"tflite-{source.stem}.o")
            compiler.compile([source], objects[-1], [*compile_flags("scalar"), f"-I{include_dir()}", *_FLAGS])
        compiler.compile(objects, output, _LINK_FLAGS)
    check_elf(output, target)
    return output


def host_library() -> Path:
    """The library for the running machine, from the cache if it was built before.

    Raises:
        InputError: edgebin knows how to build for x86-64 hosts only.
        ToolchainError: there is no compiler, or it failed.
    """
    if host_arch() != "x86_64":
        raise InputError(
            f"cannot build `{LIBRARY_NAME}` on this {host_arch()} machine",
            hint="`edgebin compile --backend tflite` puts the board's library beside its model: give its path",
        )
    target = load_target("x86-64")
    compiler = find_compiler(target)
    output = cache_dir("tflite", _digest(compiler)) / LIBRARY_NAME
    return output if output.is_file() else build_library(target, compiler, output)


def _digest(compiler: Compiler) -> str:
    """Everything that goes into the library."""
    kernels = resource_dir("kernels")
    digest = hashlib.sha256(repr((compiler.argv, _FLAGS, _LINK_FLAGS)).encode())
    for file in sorted(path for path in kernels.rglob("*") if path.suffix in (".c", ".h", ".inc")):
        digest.update(f"{file.relative_to(kernels)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
