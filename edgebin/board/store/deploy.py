"""Brings files to a board once: they are kept there by their checksum, and bundles are hard links to them.

`objects/SHA256` gets its name when its content is there and verified; a damaged one is replaced. Links are made one by
one and looked at again each time, so that several hosts may deploy to one board at the same time, and one that breaks
off leaves nothing that the next has to clean up.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgebin.board.store.archive import UNPACK, packed
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Bundle
from edgebin.bundle.manifest import MANIFEST_NAME, RUNNER_NAME
from edgebin.errors import BoardError
from edgebin.toolchain.process import tail

# $1: the folder; then checksum and link of each file. Prints of each its real checksum, and whether the link is one.
_LOOK = """
cd "$1" 2>/dev/null || exit 0
shift
while [ $# -gt 0 ]; do
  sum=$(sha256sum <"objects/$1") || sum=
  linked=no
  [ "objects/$1" -ef "$2" ] && linked=yes
  echo "${sum%% *} $linked"
  shift 2
done 2>/dev/null
"""
# $1: the folder; then checksum, mode and link of each file. Standard input: the files that are missing.
_INSTALL = f"""
mkdir -p "$1/objects" || exit 1
{UNPACK}
cd "$1" || exit 1
shift
for object in "$new"/*; do
  [ -e "$object" ] || continue
  sum=$(sha256sum <"$object")
  [ "${{sum%% *}}" = "${{object##*/}}" ] || {{ echo "a file was damaged on the way" >&2; exit 1; }}
  mv -f "$object" "objects/${{object##*/}}" || exit 1
done
while [ $# -gt 0 ]; do
  link=./$3
  chmod "$2" "objects/$1" && mkdir -p "${{link%/*}}" || exit 1
  [ "objects/$1" -ef "$link" ] || ln -f "objects/$1" "$link" || exit 1
  shift 3
done
"""


@dataclass(frozen=True)
class Deployed:
    """Where something lies on the board, and how many bytes had to be sent for that."""

    path: PurePosixPath
    copied_bytes: int


@dataclass(frozen=True)
class _File:
    source: Path
    sha256: str
    mode: str


def deploy_bundle(transport: Transport, bundle: Bundle) -> Deployed:
    """Brings a bundle's files to the board, those that are not there yet, into a folder of its own.

    Raises:
        BundleError: the bundle has changed since it was opened.
        ConnectionLost, BoardError: the board is away, or has no room.
    """
    folder = bundle.extracted()
    manifest = folder / MANIFEST_NAME
    sums = {name: entry.sha256 for name, entry in bundle.manifest.files.items()} | {MANIFEST_NAME: _sha256(manifest)}
    place = f"bundles/{bundle.sha256}"
    copied = _deploy(
        transport,
        {
            f"{place}/{name}": _File(folder / name, sha256, "755" if name == RUNNER_NAME else "644")
            for name, sha256 in sums.items()
        },
    )
    return Deployed(transport.folder / place, copied)


def deploy_program(transport: Transport, program: Path, name: str) -> Deployed:
    """Brings a program of ours to the board, such as the agent, as `NAME-SHA256`.

    Raises:
        ConnectionLost, BoardError: the board is away, or has no room.
    """
    sha256 = _sha256(program)
    copied = _deploy(transport, {f"{name}-{sha256}": _File(program, sha256, "755")})
    return Deployed(transport.folder / f"{name}-{sha256}", copied)


def deploy_files(transport: Transport, files: Mapping[str, Path]) -> Deployed:
    """Brings files that belong together to the board, under these names into a folder of their own.

    Raises:
        ConnectionLost, BoardError: the board is away, or has no room.
    """
    sums = {name: _sha256(path) for name, path in files.items()}
    place = f"files/{hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()}"
    modes = {name: "755" if os.access(path, os.X_OK) else "644" for name, path in files.items()}
    copied = _deploy(
        transport, {f"{place}/{name}": _File(path, sums[name], modes[name]) for name, path in files.items()}
    )
    return Deployed(transport.folder / place, copied)


def _deploy(transport: Transport, files: Mapping[str, _File]) -> int:
    """The bytes that were copied."""
    folder = str(transport.folder)
    words = [word for link, file in files.items() for word in (file.sha256, link)]
    looked = transport.run(["sh", "-c", _LOOK, "edgebin", folder, *words])
    there = [line.split() for line in looked.stdout.decode(errors="replace").splitlines()]
    if len(there) != len(files):
        there = [["", "no"]] * len(files)
    missing = {
        file.sha256: file.source
        for file, found in zip(files.values(), there, strict=True)
        if found[:1] != [file.sha256]
    }
    if not missing and all(found[1:] == ["yes"] for found in there):
        return 0
    words = [word for link, file in files.items() for word in (file.sha256, file.mode, link)]
    with packed(missing) as archive:
        done = transport.run(["sh", "-c", _INSTALL, "edgebin", folder, *words], stdin=archive)
    if done.returncode:
        raise BoardError(
            f"cannot copy files to {transport.name}: {tail(done.stderr)}",
            hint=f"is there room, and may we write to {folder}? `edgebin devices clean` removes old bundles",
        )
    return sum(source.stat().st_size for source in missing.values())


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
