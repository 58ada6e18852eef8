"""Writes a bundle, deterministically and whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edgebin.bundle.manifest import IO_NAME, MANIFEST_NAME, RUNNER_NAME, FileEntry, Manifest
from edgebin.errors import InputError

_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100000


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, Path | bytes]) -> Manifest:
    """Puts `files` (member name → content) and the manifest into the bundle `path`; returns the manifest as written.

    `io.txt` is made from the manifest. The same manifest and contents give the same bytes. `path` appears only when it
    is complete.

    Raises:
        InputError: a file that every bundle must have is missing, or a file cannot be read or written.
    """
    contents = {name: _content(content) for name, content in files.items()}
    contents[IO_NAME] = manifest.io_text().encode()
    if missing := manifest.required_files - contents.keys():
        raise InputError(f"a bundle must have {', '.join(f'`{name}`' for name in sorted(missing))}")
    entries = {
        name: FileEntry(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in sorted(contents.items())
    }
    complete = Manifest.model_validate({**manifest.model_dump(), "files": entries})
    contents[MANIFEST_NAME] = (complete.model_dump_json(indent=1, exclude_none=True) + "\n").encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".bundle-") as scratch:
            partial = Path(scratch) / path.name
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
                for name, content in sorted(contents.items()):
                    member = zipfile.ZipInfo(name, _TIMESTAMP)
                    member.create_system = 3  # Unix: the permissions below count
                    member.external_attr = (_REGULAR_FILE | (0o755 if name == RUNNER_NAME else 0o644)) << 16
                    archive.writestr(member, content)
            os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write `{path}`: {error.strerror}") from error
    return complete


def _content(content: Path | bytes) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return content.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read `{content}`: {error.strerror}") from error
