"""Reads bundles. They are untrusted: nothing of one is used before its names, sizes and checksums have been checked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from edgebin.bundle.manifest import MANIFEST_NAME, RUNNER_NAME, SCHEMA_VERSION, FileEntry, Manifest
from edgebin.errors import BundleError, InputError
from edgebin.toolchain.cache import cache_dir

_MAX_MANIFEST_BYTES = 16 << 20
_MAX_BUNDLE_BYTES = 2 << 30
_CHUNK_BYTES = 1 << 20
_KEPT_FOLDERS = 16
_IN_USE_SECONDS = 3600
_DAMAGED_HINT = "copy it again, or compile it again"


@dataclass(frozen=True)
class Bundle:
    """A bundle whose contents have been checked. `sha256` is of the whole file."""

    path: Path
    manifest: Manifest
    sha256: str

    @property
    def size_bytes(self) -> int:
        """The size of the bundle file."""
        return self.path.stat().st_size

    def extract(self, folder: Path) -> Path:
        """Unpacks into `folder`, which must not exist yet; it appears only when it is complete and checked.

        Raises:
            BundleError: the file has changed since it was opened.
            InputError: `folder` exists, or cannot be written.
        """
        if folder.exists():
            raise InputError(f"`{folder}` exists already")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".extract-") as scratch:
                partial = Path(scratch) / "bundle"
                self._write_members(partial)
                os.rename(partial, folder)
        except OSError as error:
            raise InputError(f"cannot unpack `{self.path}` to `{folder}`: {error.strerror}") from error
        return folder

    def extracted(self) -> Path:
        """The bundle's unpacked folder in the cache, made on first use and checked again on each.

        The cache keeps those used last, and all used within the hour.

        Raises:
            BundleError: the file has changed since it was opened.
            InputError: the cache cannot be written.
        """
        folder = cache_dir("bundles") / self.sha256
        if not self._intact(folder):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                self.extract(folder)
            except InputError:  # perhaps because another process was faster
                if not self._intact(folder):
                    raise
            _forget_old_folders(folder.parent)
        os.utime(folder)
        return folder

    def _write_members(self, folder: Path) -> None:
        with _open_archive(self.path) as archive:
            for name, entry in self.manifest.files.items():
                destination = folder / name
                destination.parent.mkdir(parents=True, exist_ok=True)
                with _open_member(archive, name, self.path) as source, destination.open("wb") as sink:
                    _check_content(source, entry, name, self.path, sink)
                destination.chmod(0o755 if name == RUNNER_NAME else 0o644)
        (folder / MANIFEST_NAME).write_text(self.manifest.model_dump_json(indent=1, exclude_none=True) + "\n")

    def _intact(self, folder: Path) -> bool:
        for name, entry in self.manifest.files.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != entry.size:
                return False
            with path.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != entry.sha256:
                    return False
        return True


def _forget_old_folders(parent: Path) -> None:
    """Removes all but the last used unpacked bundles; none that somebody may be running."""

    def last_use(folder: Path) -> float:
        try:
            return folder.stat().st_mtime
        except OSError:  # another process has removed it
            return 0.0

    for folder in sorted(parent.iterdir(), key=last_use, reverse=True)[_KEPT_FOLDERS:]:
        if time.time() - last_use(folder) > _IN_USE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def open_bundle(path: Path) -> Bundle:
    """Opens a bundle and checks all of it.

    Raises:
        BundleError: no such file; not a bundle; of another schema version; a member that is missing, not listed, badly
            named, of the wrong size or checksum.
    """
    with _open_archive(path) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if len(set(names)) != len(names):
            raise BundleError(f"`{path}` holds a file twice", hint=_DAMAGED_HINT)
        if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
            raise BundleError(f"`{path}` is compressed or encrypted: not a bundle", hint=_DAMAGED_HINT)
        manifest = _read_manifest(archive, path)
        if missing := manifest.files.keys() - set(names):
            raise BundleError(f"`{path}` lacks `{min(missing)}`, which its manifest lists", hint=_DAMAGED_HINT)
        if foreign := set(names) - manifest.files.keys() - {MANIFEST_NAME}:
            raise BundleError(f"`{path}` holds `{min(foreign)}`, which its manifest does not list")
        if needed := manifest.required_files - manifest.files.keys():
            raise BundleError(f"`{path}` is no usable bundle: it has no `{min(needed)}`")
        for name, entry in manifest.files.items():
            with _open_member(archive, name, path) as source:
                _check_content(source, entry, name, path)
    with path.open("rb") as stream:
        return Bundle(path, manifest, hashlib.file_digest(stream, "sha256").hexdigest())


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        if path.stat().st_size > _MAX_BUNDLE_BYTES:
            raise BundleError(f"`{path}` is larger than a bundle can be")
        return zipfile.ZipFile(path)
    except OSError as error:
        raise BundleError(f"cannot read `{path}`: {error.strerror or error}") from error
    except zipfile.BadZipFile as error:
        raise BundleError(f"`{path}` is not a bundle, or is truncated", hint=_DAMAGED_HINT) from error


def _open_member(archive: zipfile.ZipFile, name: str, path: Path) -> IO[bytes]:
    try:
        return archive.open(name)
    except (KeyError, OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise BundleError(f"`{path}` is damaged at `{name}`: {error}", hint=_DAMAGED_HINT) from error


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    if MANIFEST_NAME not in archive.namelist():
        raise BundleError(f"`{path}` is a zip file but not a bundle: it has no {MANIFEST_NAME}")
    if archive.getinfo(MANIFEST_NAME).file_size > _MAX_MANIFEST_BYTES:
        raise BundleError(f"the manifest of `{path}` is too large")
    try:
        with _open_member(archive, MANIFEST_NAME, path) as stream:
            text = stream.read(_MAX_MANIFEST_BYTES)
        data = json.loads(text)
    except (zipfile.BadZipFile, EOFError, ValueError, RecursionError) as error:
        raise BundleError(f"the manifest of `{path}` is damaged: {error}", hint=_DAMAGED_HINT) from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"`{path}` has schema version {version}, this edgebin reads {SCHEMA_VERSION}",
            hint="compile it again with this version of edgebin",
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BundleError(f"the manifest of `{path}` is not usable: {where}: {first['msg']}") from error


def _check_content(source: IO[bytes], entry: FileEntry, name: str, path: Path, sink: IO[bytes] | None = None) -> None:
    """Reads one member to its end, copying it to `sink`, and never more than the manifest says."""
    digest, left = hashlib.sha256(), entry.size
    try:
        while chunk := source.read(min(_CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            if sink is not None:
                sink.write(chunk)
    except (EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"`{path}` is damaged at `{name}`: {error}", hint=_DAMAGED_HINT) from error
    if left or digest.hexdigest() != entry.sha256:
        raise BundleError(f"`{path}` is damaged: `{name}` has the wrong checksum", hint=_DAMAGED_HINT)
