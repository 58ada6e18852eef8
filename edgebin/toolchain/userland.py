"""An arm64 system for the emulator: Python and the published aarch64 wheels of the runtimes that our files run on.

It is made once, explicitly (`edgebin targets fetch --userland`), and kept in the cache: `root` of Debian's packages,
`site` of wheels. Programs in it cannot start others: without binfmt the host would not know how to run them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.targets import Target
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.debian import SUITE, unpack_debian_packages
from edgebin.toolchain.qemu import qemu_command
from edgebin.toolchain.wheels import Say, Wheel, unpack_wheels

_PYTHON = "python3.11"
_PACKAGES = (_PYTHON, "libstdc++6", "libgomp1", "libatomic1")
# numpy 1, for tflite-runtime 2.14 knows no other.
_WHEELS = (
    Wheel("numpy", "1.26.4", "7ab55401287bfec946ced39700c053796e7cc0e3acbef09993a9ad2adba6ca6e"),
    Wheel("onnxruntime", "1.31.1", "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3"),
    Wheel("tflite-runtime", "2.14.0", "ce9fa5d770a9725c746dcbf6f59f3178233b3759f09982e8b2db8d2234c333b0"),
    Wheel("ai-edge-litert", "2.3.0", "853fc608f96da87bd5f3458465dfb9abbf18d5ae6b94eceacead407146f175ae"),
)
_LAYOUT_VERSION = 1
_HINT = "edgebin targets fetch --userland makes it once"


@dataclass(frozen=True)
class Userland:
    """`root`: the root of an arm64 Debian; `site`: the folder of its Python packages."""

    root: Path
    site: Path

    @property
    def packages(self) -> tuple[str, ...]:
        """The wheels in it, as `name version`."""
        return tuple(f"{wheel.package} {wheel.version}" for wheel in _WHEELS)


def userland(*, fetch: bool = False, say: Say = lambda _: None) -> Userland:
    """The userland; `fetch` allows the downloads, reported through `say`.

    Raises:
        ToolchainError: it has not been made yet, or cannot be made here: see `edgebin.toolchain.debian` and `wheels`.
    """
    parent = cache_dir("userland")
    pins = hashlib.sha256(" ".join(wheel.sha256 for wheel in _WHEELS).encode()).hexdigest()[:8]
    made = Userland(parent / f"{_LAYOUT_VERSION}-{SUITE}", parent / f"{_LAYOUT_VERSION}-site-{pins}")
    if not fetch and not (made.root.exists() and made.site.exists()):
        raise ToolchainError("the arm64 userland has not been made", hint=_HINT)
    _make(made.root, lambda root: unpack_debian_packages(_PACKAGES, root, say))
    _make(made.site, lambda site: unpack_wheels(_WHEELS, site, say))
    return made


def userland_command(
    target: Target,
    arguments: Sequence[str | Path],
    *,
    plugin: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """The command line that runs Python of the userland, on the target's processor, with these arguments.

    One thread per library, so that instructions can be counted: what takes a number of threads is told it in the
    program. `plugin` and `environment` as `edgebin.toolchain.qemu.qemu_command` has them.

    Raises:
        ToolchainError: no userland or no emulator; the target has no emulated processor.
    """
    found = userland()
    settings = {
        "PYTHONHOME": str(found.root / "usr"),
        "PYTHONPATH": str(found.site),
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ORT_DISABLE_TELEMETRY": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return qemu_command(
        target,
        [found.root / "usr" / "bin" / _PYTHON, *arguments],
        plugin=plugin,
        environment={**settings, **(environment or {})},
        base=found.root,
    )


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    """Makes the folder whole or not at all."""
    if folder.exists():
        return
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".make-") as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        fill(made)
        try:
            os.rename(made, folder)
        except OSError:  # another process was faster; the contents are the same
            if not folder.exists():
                raise
            shutil.rmtree(made)
