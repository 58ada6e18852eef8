"""The two TVM libraries that a bundle carries, and onnxruntime's for the baseline.

For x86-64 they come out of the installed packages. For aarch64 an explicit step (`fetch=True`, `edgebin targets fetch`)
takes them out of the wheels of the same versions; afterwards they are in the cache.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.targets import Target
from edgebin.toolchain.wheels import Say, WheelFile, fetch_wheel_files

# TVM's C++ ABI is the contract between these two and nothing checks it at run time: the versions belong together.
TVM_VERSION = "0.27.0.post1"
TVM_FFI_VERSION = "0.1.14.post1"
ONNXRUNTIME_VERSION = "1.31.1"

_AARCH64_TVM_RUNTIME = WheelFile(
    package="apache-tvm",
    version=TVM_VERSION,
    member="tvm/lib/libtvm_runtime.so",
    sha256="ba06950fac134b8d71549111fad2c6605cd6f738061fe0482f217c37ccbdff05",
)
_AARCH64_TVM_FFI = WheelFile(
    package="apache-tvm-ffi",
    version=TVM_FFI_VERSION,
    member="tvm_ffi/lib/libtvm_ffi.so",
    sha256="673d816bd962daddb55d8b0f8ae137e797500307951d0f721227731df0c13e24",
)
_AARCH64_ONNXRUNTIME = WheelFile(
    package="onnxruntime",
    version=ONNXRUNTIME_VERSION,
    member=f"onnxruntime/capi/libonnxruntime.so.{ONNXRUNTIME_VERSION}",
    sha256="8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
)


@dataclass(frozen=True)
class RuntimeLibraries:
    """TVM's runtime for one architecture. `include` holds the C headers, which are the same for all."""

    tvm_version: str
    ffi_version: str
    libtvm_runtime: Path
    libtvm_ffi: Path
    include: Path

    @property
    def version(self) -> str:
        return f"{self.tvm_version}+ffi.{self.ffi_version}"

    @property
    def paths(self) -> tuple[Path, Path]:
        """Both libraries, as a bundle's `lib/` takes them."""
        return self.libtvm_runtime, self.libtvm_ffi


def runtime_libraries(target: Target, *, fetch: bool = False, say: Say = lambda _: None) -> RuntimeLibraries:
    """The libraries that a module compiled for `target` runs on; `fetch` allows a download, reported through `say`.

    Raises:
        ToolchainError: TVM is not installed or of another version; the target's libraries have not been fetched yet.
    """
    tvm = _package_folder("tvm", "apache-tvm", TVM_VERSION)
    ffi = _package_folder("tvm_ffi", "apache-tvm-ffi", TVM_FFI_VERSION)
    if target.arch == "x86_64":
        libraries = tvm / "lib" / "libtvm_runtime.so", ffi / "lib" / "libtvm_ffi.so"
        for path in libraries:
            if not path.is_file():
                raise ToolchainError(f"`{path}` is missing", hint="pip install --force-reinstall 'edgebin[tvm]'")
    else:
        wanted = _AARCH64_TVM_RUNTIME, _AARCH64_TVM_FFI
        if fetch:
            fetch_wheel_files(wanted, say)
        elif not all(file.present() for file in wanted):
            raise ToolchainError(
                f"TVM's runtime libraries for {target.id} ({target.arch}) have not been fetched",
                hint=f"edgebin targets fetch {target.id}",
            )
        libraries = wanted[0].path, wanted[1].path
    return RuntimeLibraries(TVM_VERSION, TVM_FFI_VERSION, *libraries, include=ffi / "include")


def fetch_onnxruntime_aarch64(*, fetch: bool = True, say: Say = lambda _: None) -> Path:
    """onnxruntime's library for aarch64, the baseline of the static estimate. Set ORT_DISABLE_TELEMETRY=1 to run it.

    Raises:
        ToolchainError: it is not in the cache and `fetch` is False, or the download failed.
    """
    if fetch:
        fetch_wheel_files([_AARCH64_ONNXRUNTIME], say)
    elif not _AARCH64_ONNXRUNTIME.present():
        raise ToolchainError(
            "onnxruntime for aarch64 has not been fetched", hint="edgebin targets fetch --baseline downloads it once"
        )
    return _AARCH64_ONNXRUNTIME.path


def _package_folder(module: str, package: str, version: str) -> Path:
    """The installed package's folder, found without importing it (that takes seconds)."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ToolchainError(f"the `{package}` package is not installed", hint="pip install 'edgebin[tvm]'")
    if (installed := importlib.metadata.version(package)) != version:
        raise ToolchainError(
            f"`{package}` is {installed}, edgebin needs exactly {version}",
            hint=f"pip install {package}=={version}",
        )
    return Path(spec.submodule_search_locations[0])
