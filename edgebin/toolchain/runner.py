"""Builds the runner, the C program of a bundle (`kernels/runtime/`), with the engine of one backend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.elf import check_elf
from edgebin.toolchain.runtime import Backend, RuntimeLibraries

_ENGINES: Mapping[Backend, str] = {"tvm": "engine_tvm*.c", "ort": "engine_ort*.c", "tflite": "engine_litert*.c"}
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-s")
_LINK_FLAGS = ("-Wl,-z,max-page-size=65536", "-lm", "-ldl")


def build_runner(
    target: Target, compiler: Compiler, libraries: RuntimeLibraries, output: Path, backend: Backend = "tvm"
) -> None:
    """Compiles the runner for the target's runtime libraries and checks that the board can start it.

    Raises:
        ToolchainError: the compiler failed, or what it made needs a newer C library than the target has.
    """
    folder = resource_dir("kernels") / "runtime"
    sources = [path for path in sorted(folder.glob("*.c")) if not path.name.startswith("engine_")]
    flags = [*_FLAGS, *(_tvm_flags(libraries) if backend == "tvm" else ()), *_LINK_FLAGS]
    compiler.compile([*sources, *sorted(folder.glob(_ENGINES[backend]))], output, flags)
    check_elf(output, target)


def _tvm_flags(libraries: RuntimeLibraries) -> list[str]:
    """TVM's libraries are linked to; the other engines open theirs, for their C interface has versions.

    They lie in lib/ beside the program, and pull in the board's own libstdc++, which the linker cannot see.
    libtvm_runtime registers its functions while it is loaded: no symbol of it is named, yet it must stay.
    """
    found = ("-Wl,-rpath,$ORIGIN/lib", "-Wl,--allow-shlib-undefined", "-Wl,--no-as-needed")
    return ["-isystem", str(libraries.include), *found, *map(str, libraries.paths)]
