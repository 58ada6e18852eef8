"""Files on their way to a board: a tar archive of `0`, `1`, … and `end`, without which it has broken off."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from edgebin.errors import InputError


def write_archive(stream: IO[bytes], files: Iterable[Path | bytes]) -> None:
    """Writes the files' contents; their names are sent otherwise, so that none of them means anything to `tar`.

    Raises:
        InputError: a file cannot be read.
    """
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for number, file in enumerate(files):
            if isinstance(file, bytes):
                _add(archive, str(number), io.BytesIO(file), len(file))
                continue
            try:
                with file.open("rb") as source:
                    _add(archive, str(number), source, file.stat().st_size)
            except OSError as error:
                raise InputError(f"cannot read `{file}`: {error.strerror or error}") from error
        _add(archive, "end", io.BytesIO(), 0)


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)
