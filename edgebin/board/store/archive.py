"""Files on their way through standard input and output, as tar archives, which every board can read and write.

An archive that is sent ends with a member `end`: without it, it has broken off on the way.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from edgebin.errors import BoardError, InputError

# For `sh`: unpacks standard input into a new folder "$1/.edgebin-…", called $new, which goes when the shell does,
# whatever ends it. What a board left there when it lost its power goes a day later.
UNPACK = r"""
new=
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM PIPE
find "$1" -maxdepth 1 -name '.edgebin-*' -mmin +1440 -exec rm -rf {} + 2>/dev/null
new=$(mktemp -d "$1/.edgebin-XXXXXXXX") || exit 1
said=$(cd "$new" && tar -xf - 2>&1) || {
  set -- $(df -Pk "$new" | tail -n 1)
  printf "%s\n" "$said" | head -n 1 >&2
  echo "$4 KiB are free there" >&2
  exit 1
}
[ -e "$new/end" ] || { echo "the files broke off on the way" >&2; exit 1; }
rm "$new/end"
"""


@contextlib.contextmanager
def packed(files: Mapping[str, Path | bytes]) -> Iterator[IO[bytes]]:
    """An archive for `UNPACK`, at its beginning. Names are ours: no user's name means anything to `tar`.

    Raises:
        InputError: a file cannot be read.
    """
    with tempfile.TemporaryFile() as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, file in files.items():
                if isinstance(file, bytes):
                    _add(archive, name, io.BytesIO(file), len(file))
                    continue
                try:
                    with file.open("rb") as source:
                        _add(archive, name, source, file.stat().st_size)
                except OSError as error:
                    raise InputError(f"cannot read `{file}`: {error.strerror or error}") from error
            _add(archive, "end", io.BytesIO(), 0)
        stream.seek(0)
        yield stream


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The plain files of an archive that a board has sent, by name; folders and all else are left out.

    Raises:
        BoardError: no archive.
    """
    files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
            for member in opened:
                if member.isreg():
                    content = opened.extractfile(member)
                    assert content is not None  # a plain file has one
                    files[member.name] = content.read()
    except tarfile.TarError as error:
        raise BoardError(f"what the board has sent cannot be read: {error}") from error
    return files


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)
