"""TVM's published aarch64 packages, with what its RPC server imports, beside the userland in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.runtime import TVM_FFI_VERSION, TVM_VERSION
from edgebin.toolchain.wheels import Wheel, unpack_wheels

_WHEELS = (
    Wheel("apache-tvm", TVM_VERSION, "4acfdb7653e4e1ba7a707bdf2833db72eb8fda7d04d99141f2a4e1da43171fb7"),
    Wheel("apache-tvm-ffi", TVM_FFI_VERSION, "c7a759781d4fbf2b99fa12f2741f250b882b06acc2747bb02831d491d1ac7d3c"),
    Wheel("cloudpickle", "3.1.2", "9acb47f6afd73f60dc1df93bb801b472f05ff42fa6c84167d25cb206be1fbf4a"),
    Wheel("ml-dtypes", "0.5.4", "bc11d7e8c44a65115d05e2ab9989d1e045125d7be8e05a071a48bc76eb6d6040"),
    Wheel("psutil", "7.2.2", "b0726cecd84f9474419d67252add4ac0cd9811b04d61123054b9fb6f57df6e9e"),
    Wheel("typing-extensions", "4.16.0", "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8"),
)
# The compiler, three quarters of it all: boards do without.
_LEFT_OUT = ("libtvm_compiler.so", "libtvm_runtime_cuda.so")


def tvm_site() -> Path:
    """The folder for PYTHONPATH, downloaded once.

    Raises:
        ToolchainError: no pip, no package index, or another wheel than the one we know.
    """
    pins = hashlib.sha256(" ".join(wheel.sha256 for wheel in _WHEELS).encode()).hexdigest()[:8]
    site = cache_dir("userland") / f"tvm-site-{pins}"
    if site.exists():
        return site
    with tempfile.TemporaryDirectory(dir=site.parent, prefix=".make-") as scratch:
        made = Path(scratch) / site.name
        made.mkdir()
        unpack_wheels(_WHEELS, made, lambda _: None)
        for name in _LEFT_OUT:
            (made / "tvm" / "lib" / name).unlink(missing_ok=True)
        try:
            os.rename(made, site)
        except OSError:  # another process was faster; the contents are the same
            shutil.rmtree(made)
    return site
