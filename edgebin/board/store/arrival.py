"""A file that appears when it is complete."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgebin.errors import InputError


@contextlib.contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Gives a path to write to; it gets the name `path` if nothing is raised, and goes if something is.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".edgebin-") as scratch:
            partial = Path(scratch) / "partial"
            yield partial
            os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write `{path}`: {error.strerror or error}") from error
