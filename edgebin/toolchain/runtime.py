"""The runtime libraries that a bundle carries in `lib/`, by backend: TVM's two, onnxruntime's, LiteRT's.

For x86-64 they come out of the installed packages. For aarch64 an explicit step (`fetch=True`, `edgebin targets fetch`)
takes them out of the wheels of the same versions; afterwards they are in the cache.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgebin.errors import ToolchainError
from edgebin.targets import Target
from edgebin.toolchain.wheels import Say, WheelFile, fetch_wheel_files

Backend = Literal["tvm", "ort", "tflite"]

# TVM's C++ ABI is the contract between these two and nothing checks it at run time: the versions belong together.
TVM_VERSION = "0.27.0.post1"
TVM_FFI_VERSION = "0.1.14.post1"
ONNXRUNTIME_VERSION = "1.31.1"
LITERT_VERSION = "2.3.0"
# What TVM's runtime needs, the least of the three.
OLDEST_GLIBC = "2.27"


@dataclass(frozen=True)
class _Library:
    """`name` in a bundle's `lib/`; `installed` in the package's folder; `sha256` of the same in the aarch64 wheel."""

    name: str
    package: str
    module: str
    version: str
    installed: str
    sha256: str
    extra: str

    @property
    def aarch64(self) -> WheelFile:
        member = f"{self.module}/{self.installed}"
        return WheelFile(self.package, self.version, member, self.sha256)

    def installed_path(self) -> Path:
        path = _package_folder(self.module, self.package, self.version, self.extra) / self.installed
        if not path.is_file():
            raise ToolchainError(f"`{path}` is missing", hint=f"pip install --force-reinstall '{self.extra}'")
        return path


@dataclass(frozen=True)
class _Runtime:
    title: str
    libraries: tuple[_Library, ...]


_RUNTIMES: Mapping[Backend, _Runtime] = {
    "tvm": _Runtime(
        "TVM",
        (
            _Library(
                "libtvm_runtime.so", "apache-tvm", "tvm", TVM_VERSION, "lib/libtvm_runtime.so",
                "ba06950fac134b8d71549111fad2c6605cd6f738061fe0482f217c37ccbdff05", "edgebin[tvm]",
            ),
            _Library(
                "libtvm_ffi.so", "apache-tvm-ffi", "tvm_ffi", TVM_FFI_VERSION, "lib/libtvm_ffi.so",
                "673d816bd962daddb55d8b0f8ae137e797500307951d0f721227731df0c13e24", "edgebin[tvm]",
            ),
        ),
    ),
    "ort": _Runtime(
        "onnxruntime",
        (
            _Library(
                "libonnxruntime.so.1", "onnxruntime", "onnxruntime", ONNXRUNTIME_VERSION,
                f"capi/libonnxruntime.so.{ONNXRUNTIME_VERSION}",
                "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467", "edgebin",
            ),
        ),
    ),
    "tflite": _Runtime(
        "LiteRT",
        (
            _Library(
                "libLiteRt.so", "ai-edge-litert", "ai_edge_litert", LITERT_VERSION, "libLiteRt.so",
                "b57687dc234d2b8b0598aef5a9c961ed24263df8f8b3f56adbee1cff618e544b", "edgebin[tflite]",
            ),
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class RuntimeLibraries:
    """A backend's runtime for one architecture.

    `files` maps names in a bundle's `lib/` to the libraries, `versions` what they belong to, such as "TVM" or
    "onnxruntime", to its version, the runtime itself first. `include` holds TVM's C headers, which are the same for
    all architectures; the other runtimes' few declarations are our own.
    """

    versions: Mapping[str, str]
    files: Mapping[str, Path]
    include: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The libraries."""
        return tuple(self.files.values())

    @property
    def label(self) -> str:
        """`TVM 0.27.0.post1, apache-tvm-ffi 0.1.14.post1`."""
        return ", ".join(f"{name} {version}" for name, version in self.versions.items())


def runtime_libraries(
    target: Target, backend: Backend = "tvm", *, fetch: bool = False, say: Say = lambda _: None
) -> RuntimeLibraries:
    """The libraries that a backend's bundle for `target` runs on; `fetch` allows a download, reported through `say`.

    Raises:
        ToolchainError: the package is not installed or of another version; the target's libraries have not been fetched
            yet.
    """
    runtime = _RUNTIMES[backend]
    include = None
    if backend == "tvm":
        # The compiler and the headers come out of the installed packages, whatever the target.
        folders = [_package_folder(lib.module, lib.package, lib.version, lib.extra) for lib in runtime.libraries]
        include = folders[1] / "include"
    if target.arch == "x86_64":
        paths = [library.installed_path() for library in runtime.libraries]
    else:
        wanted = [library.aarch64 for library in runtime.libraries]
        if fetch:
            fetch_wheel_files(wanted, say)
        elif not all(file.present() for file in wanted):
            flag = "" if backend == "tvm" else f" --backend {backend}"
            raise ToolchainError(
                f"{runtime.title}'s runtime libraries for {target.id} ({target.arch}) have not been fetched",
                hint=f"edgebin targets fetch {target.id}{flag}",
            )
        paths = [file.path for file in wanted]
    first, *others = runtime.libraries
    versions = {runtime.title: first.version, **{library.package: library.version for library in others}}
    return RuntimeLibraries(versions, dict(zip(library_names(backend), paths, strict=True)), include)


def library_names(backend: Backend) -> tuple[str, ...]:
    """What the backend's libraries are called in a bundle's `lib/`."""
    return tuple(library.name for library in _RUNTIMES[backend].libraries)


def fetch_onnxruntime_aarch64(*, fetch: bool = True, say: Say = lambda _: None) -> Path:
    """onnxruntime's library for aarch64, the baseline of the static estimate. Set ORT_DISABLE_TELEMETRY=1 to run it.

    Raises:
        ToolchainError: it is not in the cache and `fetch` is False, or the download failed.
    """
    file = _RUNTIMES["ort"].libraries[0].aarch64
    if fetch:
        fetch_wheel_files([file], say)
    elif not file.present():
        raise ToolchainError(
            "onnxruntime for aarch64 has not been fetched", hint="edgebin targets fetch --baseline downloads it once"
        )
    return file.path


def _package_folder(module: str, package: str, version: str, extra: str) -> Path:
    """The installed package's folder, found without importing it (that takes seconds)."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ToolchainError(f"the `{package}` package is not installed", hint=f"pip install '{extra}'")
    if (installed := importlib.metadata.version(package)) != version:
        raise ToolchainError(
            f"`{package}` is {installed}, edgebin needs exactly {version}",
            hint=f"pip install {package}=={version}",
        )
    return Path(spec.submodule_search_locations[0])
