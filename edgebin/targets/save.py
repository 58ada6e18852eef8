"""Writes a target file that `edgebin.targets.load` reads back as the same target, its core in it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from edgebin.errors import InputError
from edgebin.targets.schema import Target


def write_target(target: Target, path: Path) -> None:
    """The target as TOML; the file appears only when it is complete.

    Raises:
        InputError: it cannot be written.
    """
    text = "\n".join(_table(target.model_dump(mode="json", exclude_none=True), "")) + "\n"
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".target-") as scratch:
            partial = Path(scratch) / path.name
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write `{path}`: {error.strerror}") from error


def _table(data: dict[str, Any], name: str) -> list[str]:
    """A table's own values, then its tables."""
    lines = [f"{key} = {_value(value)}" for key, value in data.items() if not isinstance(value, dict)]
    if name:
        lines = ["", f"[{name}]", *lines]
    for key, value in data.items():
        if isinstance(value, dict):
            lines += _table(value, f"{name}.{key}" if name else key)
    return lines


def _value(value: Any) -> str:
    """Strings, numbers, truth values and lists of them are spelt in TOML as in JSON, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
