"""The C programs that profiling needs, built once into the cache: instruction counter, node marks, baseline runner."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.resources import resource_dir
from edgebin.targets import Target, load_target
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.compiler import Compiler, find_compiler
from edgebin.toolchain.runtime import fetch_onnxruntime_aarch64

_WARNINGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")


def instruction_counter() -> Path:
    """The QEMU plugin, for this machine.

    Raises:
        ToolchainError: no compiler, or it refused.
    """
    # QEMU itself defines what the plugin calls.
    flags = (*_WARNINGS, "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,--allow-shlib-undefined")
    return _build(["profiler/counter.c"], "counter.so", find_compiler(load_target("x86-64")), flags)


def node_marks(target: Target) -> Path:
    """The library that marks, in a guest, the nodes which our libraries run inside another runtime.

    Raises:
        ToolchainError: no compiler, or it refused.
    """
    flags = (*_WARNINGS, "-fPIC", "-shared", "-fvisibility=hidden")
    return _build(["profiler/node_marks.c"], "node_marks.so", find_compiler(target), flags)


def baseline_runner(target: Target) -> Path:
    """The onnxruntime runner for a target, or for this machine.

    Raises:
        ToolchainError: no compiler, or it refused.
    """
    parts = [f"runtime/{name}.c" for name in ("engine_ort_profile", "functions", "json", "fail")]
    return _build(["baseline/ort_runner.c", *parts], "ort_runner", find_compiler(target), (*_WARNINGS, "-ldl"))


def onnxruntime_library(target: Target) -> Path:
    """onnxruntime's shared library: the installed package's for this architecture, the fetched one for aarch64.

    Raises:
        ToolchainError: it is not there.
    """
    if target.arch == "aarch64":
        return fetch_onnxruntime_aarch64(fetch=False)
    spec = importlib.util.find_spec("onnxruntime")
    folders = list(spec.submodule_search_locations or []) if spec else []
    libraries = sorted(path for folder in folders for path in Path(folder, "capi").glob("libonnxruntime.so.*"))
    if not libraries:
        raise ToolchainError("the `onnxruntime` package has no shared library", hint="pip install onnxruntime")
    return libraries[-1]


def _build(sources: Sequence[str], name: str, compiler: Compiler, flags: Sequence[str]) -> Path:
    """Compiles files of `kernels/`; the cache knows the result by everything that goes into it."""
    kernels = resource_dir("kernels")
    paths = [kernels / source for source in sources]
    inputs = [*paths, kernels / "dispatch/dispatch.h", kernels / "ort/abi.h"]
    inputs += [*sorted((kernels / "runtime").glob("*.h")), *sorted(paths[0].parent.glob("*.h"))]
    digest = hashlib.sha256(repr((compiler.argv, flags)).encode())
    for file in inputs:
        digest.update(file.read_bytes())
    output = cache_dir("programs", digest.hexdigest()[:16]) / name
    if not output.is_file():
        compiler.compile(paths, output, flags)
    return output
