"""Builds the runner, the C program of a bundle (`kernels/runtime/`)."""

from __future__ import annotations

from pathlib import Path

from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.elf import check_elf
from edgebin.toolchain.runtime import RuntimeLibraries

_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-s")
# The program looks for TVM's libraries in lib/ beside itself. They pull in the board's own libstdc++, unseen by the linker.
_LINK_FLAGS = ("-Wl,-rpath,$ORIGIN/lib", "-Wl,--allow-shlib-undefined", "-Wl,-z,max-page-size=65536", "-lm")


def build_runner(target: Target, compiler: Compiler, libraries: RuntimeLibraries, output: Path) -> None:
    """Compiles the runner against the target's runtime libraries and checks that the board can start it.

    Raises:
        ToolchainError: the compiler failed, or what it made needs a newer C library than the target has.
    """
    sources = sorted((resource_dir("kernels") / "runtime").glob("*.c"))
    include = ("-isystem", str(libraries.include))
    compiler.compile([*sources, *libraries.paths], output, (*_FLAGS, *include, *_LINK_FLAGS))
    check_elf(output, target)
