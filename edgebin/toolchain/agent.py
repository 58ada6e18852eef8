"""Builds the agent (`kernels/agent/`): one static program per architecture, which measures on a board (docs/board.md).

Built for no core in particular and with musl, so that it starts on any Linux of the architecture.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import sys
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.resources import resource_dir
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.elf import elf_needs

ARCHES = ("aarch64", "x86_64")

_FLAGS = (
    *("-std=gnu11", "-O2", "-Wall", "-Wextra", "-pthread"),
    *("-static", "-s", "-Wl,-z,max-page-size=65536", "-lm"),
)
_OF_THE_RUNTIME = ("fail", "json", "machine")


def agent_program(arch: str) -> Path:
    """The agent for an architecture, `aarch64` or `x86_64`, from the cache if it was built before.

    Raises:
        ToolchainError: there is no compiler, or it failed.
    """
    compiler = _compiler(arch)
    output = cache_dir("programs", _digest(compiler)) / "agent"
    if not output.is_file():
        compiler.compile(_sources(), output, _FLAGS)
        if (made := elf_needs(output).arch) != arch:
            output.unlink()
            raise ToolchainError(f"the compiler for {arch} made a program for {made}")
    return output


def _sources() -> list[Path]:
    kernels = resource_dir("kernels")
    return [*sorted((kernels / "agent").rglob("*.c")), *(kernels / "runtime" / f"{name}.c" for name in _OF_THE_RUNTIME)]


def _compiler(arch: str) -> Compiler:
    """zig, which brings musl; where it is not installed, the system's gcc with a static glibc."""
    if arch not in ARCHES:
        raise ToolchainError(f"there is no agent for {arch}", hint=f"there is one for {' and '.join(ARCHES)}")
    if importlib.util.find_spec("ziglang") is not None:
        zig_cache = str(cache_dir("zig"))
        return Compiler(
            kind="zig",
            argv=(sys.executable, "-m", "ziglang", "cc", "-target", f"{arch}-linux-musl"),
            env={"ZIG_GLOBAL_CACHE_DIR": zig_cache, "ZIG_LOCAL_CACHE_DIR": zig_cache},
        )
    command = "gcc" if arch == platform.machine() else f"{arch}-linux-gnu-gcc"
    path = shutil.which(command)
    if path is None:
        raise ToolchainError(f"neither zig nor `{command}` is installed", hint="use zig: pip install 'edgebin[tvm]'")
    return Compiler(kind="gcc", argv=(path,))


def _digest(compiler: Compiler) -> str:
    """Everything that goes into the program."""
    kernels = resource_dir("kernels")
    digest = hashlib.sha256(repr((compiler.argv, _FLAGS)).encode())
    parts = [*(kernels / "agent").rglob("*.[ch]")]
    parts += [kernels / "runtime" / f"{name}.{kind}" for name in _OF_THE_RUNTIME for kind in "ch"]
    for file in sorted(parts):
        digest.update(f"{file.relative_to(kernels)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
