"""Calls a program of the toolchain and turns its failure into one clear error."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgebin.errors import ToolchainError

_TAIL_LINES = 20


def call(
    argv: Sequence[str | Path], *, what: str, env: Mapping[str, str] | None = None, hint: str | None = None
) -> str:
    """Runs a program to its end and returns what it wrote on stdout; `what` names the action in the error.

    Raises:
        ToolchainError: the program cannot be started, or failed; carries the end of its stderr.
    """
    try:
        done = subprocess.run(
            argv, env={**os.environ, **(env or {})}, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise ToolchainError(f"{what}: cannot start `{argv[0]}`: {error.strerror}", hint=hint) from error
    if done.returncode != 0:
        raise ToolchainError(f"{what} failed: `{argv[0]}` ended with {done.returncode}\n{tail(done.stderr)}", hint=hint)
    return done.stdout


def tail(text: str) -> str:
    """The last lines of a program's output."""
    return "\n".join(text.strip().splitlines()[-_TAIL_LINES:])
