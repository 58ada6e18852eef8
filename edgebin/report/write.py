"""Writes a report's file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from edgebin.errors import InputError


def write_report(path: Path, text: str) -> None:
    """The file appears when it is complete, in place of one of this name.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".report-") as scratch:
            partial = Path(scratch) / "report"
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write `{path}`: {error.strerror}") from error
