"""Builds the probe (`kernels/probe/`), which has every kernel of an architecture, to try them one by one.

It is a static program, so that it runs on any Linux of the architecture, and under QEMU without a system root; or a
library that TVM's RPC server loads.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgebin.kernels.build import compile_objects, include_dir
from edgebin.kernels.select import with_tunings
from edgebin.kernels.variants import kernel_paths
from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.elf import check_elf
from edgebin.toolchain.runtime import RuntimeLibraries

_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wl,-z,max-page-size=65536", "-lm")
_RUNTIME_SOURCES = ("fail.c", "json.c", "machine.c")
_PROGRAM, _LIBRARY = "main.c", "packed.c"

# What the library exports, as TVM knows it: one string of lines → one string of answers.
PROBE_FUNCTION = "edgebin_probe"


def probe_program(target: Target, compiler: Compiler) -> Path:
    """The probe with kernels compiled for exactly the target's core, from the cache if it was built before.

    Raises:
        ToolchainError: the compiler failed.
    """
    output = cache_dir("programs", _digest(compiler)) / "probe"
    if not output.is_file():
        _build(target, compiler, output, _PROGRAM, _static_linker(target, compiler), ["-static"])
    return output


def probe_library(target: Target, compiler: Compiler, libraries: RuntimeLibraries) -> Path:
    """The same as a library with the packed function `PROBE_FUNCTION`; `libraries` are TVM's for the target.

    Raises:
        ToolchainError: the compiler failed.
    """
    output = cache_dir("programs", _digest(compiler)) / "probe.so"
    if not output.is_file():
        # TVM's library pulls in the board's own libstdc++, which the linker cannot see.
        flags = ["-shared", "-fPIC", "-s", "-fvisibility=hidden", "-isystem", str(libraries.include)]
        flags += [str(libraries.files["libtvm_ffi.so"]), "-Wl,--allow-shlib-undefined"]
        _build(target, compiler, output, _LIBRARY, compiler, flags)
    return output


def probe_paths(arch: str) -> tuple[str, ...]:
    """The paths and tunings that the probe of an architecture has."""
    return with_tunings(path.name for path in kernel_paths() if path.arch in (arch, "any"))


def _build(
    target: Target, compiler: Compiler, output: Path, entry: str, linker: Compiler, flags: Sequence[str]
) -> None:
    """`entry` is the file of `kernels/probe/` that makes a program of it, or a library."""
    kernels = resource_dir("kernels")
    sources = [
        *(source for folder in ("probe", "linked") for source in sorted((kernels / folder).glob("*.c"))),
        *(kernels / "runtime" / name for name in _RUNTIME_SOURCES),
    ]
    sources = [source for source in sources if source.name == entry or source.name not in (_PROGRAM, _LIBRARY)]
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".objects-") as folder:
        objects = compile_objects(probe_paths(target.arch), compiler, Path(folder))
        linker.compile([*sources, *objects], output, [*_FLAGS, *flags, f"-I{include_dir()}"])
    check_elf(output, target)


def _static_linker(target: Target, compiler: Compiler) -> Compiler:
    """zig links glibc only dynamically, but has musl; built for no core in particular, so that zig builds it once."""
    if compiler.kind != "zig":
        return compiler
    argv = (sys.executable, "-m", "ziglang", "cc", "-target", f"{target.arch}-linux-musl")
    return Compiler("zig", argv, compiler.env)


def _digest(compiler: Compiler) -> str:
    """Everything that goes into the program."""
    kernels = resource_dir("kernels")
    digest = hashlib.sha256(repr((compiler.argv, _FLAGS)).encode())
    for file in sorted(path for path in kernels.rglob("*") if path.suffix in (".c", ".h", ".inc")):
        digest.update(f"{file.relative_to(kernels)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
