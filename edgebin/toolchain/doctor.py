"""Looks at this machine: what edgebin needs and finds, what is missing, and what to type about it. Installs nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.targets import load_target
from edgebin.toolchain.runtime import (
    LITERT_VERSION,
    ONNXRUNTIME_VERSION,
    TVM_FFI_VERSION,
    TVM_VERSION,
    fetch_onnxruntime_aarch64,
    runtime_libraries,
)
from edgebin.toolchain.userland import userland

_INSTALL_TVM = "pip install 'edgebin[tvm]'"
_INSTALL_TFLITE = "pip install 'edgebin[tflite]'"
_INSTALL_LCE = "pip install 'edgebin[lce]' (Python 3.11 only)"
_INSTALL_CORE = "pip install edgebin"
# PyPI's own torch for Linux brings CUDA along, gigabytes that nothing here uses.
_INSTALL_TORCH = "pip install torch==2.13.0 from PyTorch's CPU index (pytorch.org, Get started)"


@dataclass(frozen=True)
class Check:
    """One thing looked for.

    `found` says what is there, None if nothing; `problem` why that does not do, None if it does. `required`: without
    it the package as a whole is broken; otherwise only what `needed_for` names is out of reach.
    """

    name: str
    found: str | None
    needed_for: str
    fix: str
    required: bool = False
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Found, and as it should be."""
        return self.found is not None and self.problem is None


@dataclass(frozen=True)
class _Package:
    name: str
    needed_for: str
    fix: str = _INSTALL_CORE
    required: bool = True
    pin: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class _Program:
    name: str
    commands: tuple[str, ...]
    needed_for: str
    debian: str


_PACKAGES = (
    _Package(
        "torch", "reading checkpoints, export", _INSTALL_TORCH, pin="2.13.0", reason="export is tested with it only"
    ),
    _Package("numpy", "everything"),
    _Package("onnx", "export, compile, inspect"),
    _Package("onnxscript", "export"),
    _Package("onnxruntime", "verifying exports, the baselines of profile"),
    _Package("apache-tvm", "compile", _INSTALL_TVM, required=False, pin=TVM_VERSION),
    _Package(
        "apache-tvm-ffi",
        "compile",
        _INSTALL_TVM,
        required=False,
        pin=TVM_FFI_VERSION,
        reason="TVM 0.27 crashes with 0.1.15, which a plain install chooses",
    ),
    _Package("ziglang", "compile (its default C compiler)", _INSTALL_TVM, required=False),
    _Package("flatbuffers", "compile --backend tflite", _INSTALL_TFLITE, required=False),
    _Package("tflite", "compile --backend tflite", _INSTALL_TFLITE, required=False),
    _Package(
        "ai-edge-litert",
        "compile --backend tflite",
        _INSTALL_TFLITE,
        required=False,
        pin=LITERT_VERSION,
        reason="bundles carry its library",
    ),
    _Package("tflite-runtime", "the baseline tflite-runtime of profile", _INSTALL_LCE, required=False),
    _Package("larq-compute-engine", "the baseline lce of profile", _INSTALL_LCE, required=False),
)

_PROGRAMS = (
    _Program("gcc for ARM", ("aarch64-linux-gnu-gcc",), "compile --compiler gcc", "gcc-aarch64-linux-gnu"),
    _Program("QEMU", ("qemu-aarch64",), "run, verify and profile ARM bundles on this host", "qemu-user"),
    _Program("llvm-mca", ("llvm-mca-19", "llvm-mca"), "cycle estimates of kernels in benchmarks/", "llvm-19"),
)

_ARM_LIBRARY = Path("/usr/aarch64-linux-gnu/lib/libstdc++.so.6")


def examine(kernel_paths: Sequence[str]) -> list[Check]:
    """Everything edgebin uses, in the order of the road from export to profile.

    Args:
        kernel_paths: what `edgebin.kernels` would use on this machine, best first.
    """
    return [
        _python(),
        _processor(kernel_paths),
        *map(_package, _PACKAGES),
        *map(_program, _PROGRAMS),
        _qemu_plugins(),
        _arm_library(),
        _arm_runtime(),
        _arm_onnxruntime(),
        _arm_litert(),
        _arm_userland(),
        _telemetry(),
    ]


def _python() -> Check:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check(
        "Python",
        platform.python_version(),
        "everything",
        "install Python 3.11, 3.12 or 3.13",
        required=True,
        problem=None if supported else "edgebin is for Python 3.11 to 3.13",
    )


def _processor(kernel_paths: Sequence[str]) -> Check:
    return Check(
        "processor",
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, kernels {' '.join(kernel_paths)} (best first)",
        "everything",
        "use Linux on x86-64 or aarch64",
        problem=None if platform.machine() in ("x86_64", "aarch64") else "slow: no kernels for this architecture",
    )


def _package(package: _Package) -> Check:
    try:
        found = importlib.metadata.version(package.name)
    except importlib.metadata.PackageNotFoundError:
        found = None
    problem = None
    # A local version such as 2.13.0+cpu is the same release.
    if found is not None and package.pin is not None and found.split("+")[0] != package.pin:
        problem = f"must be {package.pin}" + (f": {package.reason}" if package.reason else "")
    return Check(package.name, found, package.needed_for, package.fix, package.required, problem)


def _program(program: _Program) -> Check:
    path = next(filter(None, map(shutil.which, program.commands)), None)
    found = _version_line(path) if path else None
    return Check(program.name, found, program.needed_for, f"apt-get install {program.debian}")


def _qemu_plugins() -> Check:
    """Whether the emulator can load the plugin that counts instructions; some builds are made without."""
    path = shutil.which("qemu-aarch64")
    has = path is not None and "-plugin" in _output(path, "--help")
    return Check(
        "QEMU plugins",
        "supported" if has else None,
        "static estimates: profile of an ARM bundle",
        "install a QEMU built with --enable-plugins (Debian's qemu-user is)",
    )


def _arm_library() -> Check:
    return Check(
        "libstdc++ for ARM",
        str(_ARM_LIBRARY) if _ARM_LIBRARY.exists() else None,
        "TVM's runtime under QEMU: run, verify and profile ARM bundles on this host",
        "apt-get install libstdc++6-arm64-cross",
    )


def _arm_runtime() -> Check:
    try:
        found = runtime_libraries(load_target("rpi4b")).label
    except ToolchainError:
        found = None
    return Check("TVM runtime for ARM", found, "compile for ARM boards", "edgebin targets fetch rpi4b (once, 100 MB)")


def _arm_onnxruntime() -> Check:
    try:
        fetch_onnxruntime_aarch64(fetch=False)
        found = ONNXRUNTIME_VERSION
    except ToolchainError:
        found = None
    return Check(
        "onnxruntime for ARM",
        found,
        "compile --backend ort for ARM boards, and the baseline of static estimates",
        "edgebin targets fetch --baseline (once)",
    )


def _arm_litert() -> Check:
    try:
        found = runtime_libraries(load_target("rpi4b"), "tflite").label
    except ToolchainError:
        found = None
    return Check(
        "LiteRT for ARM",
        found,
        "compile --backend tflite for ARM boards",
        "edgebin targets fetch rpi4b --backend tflite (once)",
    )


def _arm_userland() -> Check:
    try:
        found = ", ".join(userland().packages)
    except ToolchainError:
        found = None
    return Check(
        "arm64 userland",
        found,
        "our libraries in onnxruntime and TFLite for ARM, on this host",
        "edgebin targets fetch --userland (once, 60 MB, of Debian's mirror and PyPI)",
    )


def _telemetry() -> Check:
    off = os.environ.get("ORT_DISABLE_TELEMETRY") == "1"
    return Check(
        "onnxruntime telemetry",
        "switched off" if off else "on",
        "keeping what you do to yourself",
        "set ORT_DISABLE_TELEMETRY=1",
        problem=None if off else "onnxruntime uploads usage data",
    )


def _version_line(path: str) -> str:
    """The first line of `--version` that holds a version number, or the bare path."""
    lines: Iterator[str] = (line.strip() for line in _output(path, "--version").splitlines())
    return next((line for line in lines if re.search(r"\d+\.\d+", line)), path)


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
