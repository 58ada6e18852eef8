"""What a compiler needs to build the kernels of one path, and a shared library of them for this host."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path

from edgebin.kernels.variants import Variant, find_variant, kernel_paths, path_of, tunings, variants
from edgebin.resources import resource_dir
from edgebin.toolchain.compiler import Compiler

# fma means fma and nothing else does: without this, compilers fuse x * y + z and the paths differ in the last bit.
_COMMON_FLAGS = ("-O3", "-std=c11", "-ffp-contract=off", "-Wall", "-Wextra")
# Arm paths need none: NEON is part of the base, and the one file that uses UDOT turns it on by itself.
_PATH_FLAGS = {
    "avx2": ("-mavx2", "-mfma"),
    "avx512": (
        *("-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"),
        *("-mavx512vbmi", "-mavx512bitalg", "-mavx512vpopcntdq"),
    ),
}


def include_dir() -> Path:
    """The folder of `edgebin.h`."""
    return resource_dir("kernels") / "include"


def sources_for(path: str) -> list[Path]:
    """The C files of all kernels of a path or tuning, and nothing of other paths.

    Raises:
        InputError: there is no such path.
    """
    find_variant("rows", path)
    return [resource_dir("kernels") / variant.source for variant in variants() if variant.path == path]


def compile_flags(path: str) -> list[str]:
    """What gcc and clang need for the files of a path, beside the target's own flags and the include folder."""
    return [*_COMMON_FLAGS, *_PATH_FLAGS.get(path_of(path), ())]


def compile_objects(
    paths: Iterable[str], compiler: Compiler, folder: Path, extra_flags: Iterable[str] = ()
) -> list[Path]:
    """Compiles each kernel of `paths` to an object file in `folder`.

    Raises:
        ToolchainError: the compiler failed.
    """
    listed = [variant for path in paths for variant in variants() if variant.path == path]
    return compile_variants(listed, compiler, folder, extra_flags)


def compile_variants(
    kernels: Iterable[Variant], compiler: Compiler, folder: Path, extra_flags: Iterable[str] = ()
) -> list[Path]:
    """Compiles these kernels, each to an object file in `folder`.

    Raises:
        ToolchainError: the compiler failed.
    """
    objects = []
    for variant in kernels:
        source = resource_dir("kernels") / variant.source
        target = folder / f"{source.parent.name}-{variant.path}.o"
        compiler.compile(
            [source], target, ["-c", "-fPIC", *compile_flags(variant.path), f"-I{include_dir()}", *extra_flags]
        )
        objects.append(target)
    return objects


def compile_dispatch(compiler: Compiler, folder: Path, extra_flags: Iterable[str] = ()) -> list[Path]:
    """Compiles kernels/dispatch and what it links against beside kernels, each file to an object in `folder`.

    Raises:
        ToolchainError: the compiler failed.
    """
    objects = []
    for source in (
        path for name in ("linked", "dispatch") for path in sorted((resource_dir("kernels") / name).glob("*.c"))
    ):
        target = folder / f"{source.parent.name}-{source.stem}.o"
        compiler.compile(
            [source], target, ["-c", "-fPIC", *compile_flags("scalar"), f"-I{include_dir()}", *extra_flags]
        )
        objects.append(target)
    return objects


def build_shared_library(output: Path, compiler: Compiler, paths: Iterable[str] | None = None) -> Path:
    """A shared library of the kernels of `paths` (every path of the host's architecture if None), for ctypes.

    Raises:
        ToolchainError: the compiler failed.
    """
    if paths is None:
        paths = [path.name for path in kernel_paths() if path.arch in ("any", platform.machine())]
        paths += [tuning for tuning, path in tunings().items() if path in paths]
    objects = compile_objects(paths, compiler, output.parent / f"{output.stem}-objects")
    compiler.compile(objects, output, ["-shared", "-lm"])
    return output
