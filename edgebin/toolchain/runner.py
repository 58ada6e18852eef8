"""Builds the runner, the C program of a bundle (`kernels/runtime/`)."""

from __future__ import annotations

from pathlib import Path

from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.elf import check_elf
from edgebin.toolchain.runtime import RuntimeLibraries

_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-s")
# TVM's libraries lie in lib/ beside the program. They pull in the board's own libstdc++, which the linker cannot see,
# and libtvm_runtime registers its functions while it is loaded: no symbol of it is named, yet it must stay.
_LINK_FLAGS = (
    *("-Wl,-rpath,$ORIGIN/lib", "-Wl,--allow-shlib-undefined", "-Wl,-z,max-page-size=65536"),
    *("-lm", "-Wl,--no-as-needed"),
)


def build_runner(target: Target, compiler: Compiler, libraries: RuntimeLibraries, output: Path) -> None:
    """Compiles the runner against the target's runtime libraries and checks that the board can start it.

    Raises:
        ToolchainError: the compiler failed, or what it made needs a newer C library than the target has.
    """
    sources = sorted((resource_dir("kernels") / "runtime").glob("*.c"))
    flags = (*_FLAGS, "-isystem", str(libraries.include), *_LINK_FLAGS, *map(str, libraries.paths))
    compiler.compile(sources, output, flags)
    check_elf(output, target)
