"""C compilers. zig, from PyPI, is the default for the host and for every board; a system gcc is an option."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from edgebin.errors import ToolchainError
from edgebin.targets import Target
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.process import call

CompilerKind = Literal["zig", "gcc"]
Fcompile = Callable[..., None]


@dataclass(frozen=True)
class Compiler:
    """A command that compiles C for one target: `argv` selects architecture, core and C library, `env` its caches."""

    kind: CompilerKind
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def compile(self, sources: Sequence[Path], output: Path, flags: Sequence[str] = ()) -> None:
        """Makes `output` from C sources, objects or libraries; with `-c` in `flags` there is one source.

        `output` appears only when it is complete. No debug information: it would hold folder names of this machine.

        Raises:
            ToolchainError: the compiler is gone or refused; carries the end of its messages.
        """
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".compile-") as scratch:
            partial = Path(scratch) / output.name
            argv = [*self.argv, "-g0", *map(str, sources), *flags, "-o", str(partial)]
            call(argv, what=f"compiling `{output.name}`", env=self.env)
            os.replace(partial, output)

    def tvm_fcompile(self) -> Fcompile:
        """This compiler as `export_library(fcompile=…)` of TVM takes it: links objects to a stripped shared library."""

        def fcompile(output: str, objects: Sequence[str], options: Sequence[str] | None = None, **_: object) -> None:
            self.compile([Path(name) for name in objects], Path(output), ["-shared", "-fPIC", "-s", *(options or ())])

        fcompile.output_format = "so"  # type: ignore[attr-defined]  # TVM looks for this attribute
        return fcompile


def zig_compiler(target: Target) -> Compiler:
    """`zig cc` for the target's core and for an old enough C library; needs no system package.

    Raises:
        ToolchainError: the `ziglang` package is not installed.
    """
    if importlib.util.find_spec("ziglang") is None:
        raise ToolchainError("the `ziglang` package is not installed", hint="pip install 'edgebin[tvm]'")
    zig_cache = str(cache_dir("zig"))
    return Compiler(
        kind="zig",
        argv=(
            *(sys.executable, "-m", "ziglang", "cc"),
            *("-target", target.zig.target, f"-mcpu={target.zig.mcpu}", *target.zig.flags),
        ),
        env={"ZIG_GLOBAL_CACHE_DIR": zig_cache, "ZIG_LOCAL_CACHE_DIR": zig_cache},
    )


def gcc_compiler(target: Target) -> Compiler:
    """The system's (cross) gcc. It links against its own glibc, which may be newer than the board's: see `elf.py`.

    Raises:
        ToolchainError: it is not installed.
    """
    path = shutil.which(target.gcc.command)
    if path is None:
        package = "gcc-aarch64-linux-gnu" if target.arch == "aarch64" else "gcc"
        raise ToolchainError(
            f"`{target.gcc.command}` is not installed",
            hint=f"apt install {package}, or use zig: pip install 'edgebin[tvm]'",
        )
    return Compiler(kind="gcc", argv=(path, *target.gcc.flags))


def find_compiler(target: Target, preference: Literal["auto", "zig", "gcc"] = "auto") -> Compiler:
    """The compiler asked for; with `auto` zig, or gcc where zig is not installed.

    Raises:
        ToolchainError: none is installed.
    """
    if preference == "gcc":
        return gcc_compiler(target)
    if preference == "zig" or importlib.util.find_spec("ziglang") is not None:
        return zig_compiler(target)
    return gcc_compiler(target)
