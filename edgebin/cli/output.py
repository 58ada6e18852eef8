"""How every command talks: results on stdout, progress on stderr, the next command to type last."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table


def progress(message: str) -> None:
    """One line of progress on stderr, for whoever waits; never part of the result."""
    typer.echo(message, err=True)


class Boards:
    """What several boards are doing, on stderr: one line each that is kept up to date, or plain lines into a pipe."""

    def __init__(self, names: Sequence[str]) -> None:
        self._doing = dict.fromkeys(names, "waiting")
        self._live: Live | None = None

    def __enter__(self) -> Boards:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(self._table(), console=Console(stderr=True), transient=True)
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, name: str, text: str) -> None:
        """May be called from any thread."""
        self._doing[name] = text
        if self._live is None:
            progress(f"{name}: {text}")
        else:
            self._live.update(self._table())

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        shown = Table(box=None, show_header=False, pad_edge=False)
        for name, doing in self._doing.items():
            shown.add_row(Text(name, style="bold"), Text(doing))
        return shown


def fields(rows: Mapping[str, str]) -> None:
    """The result of a command on stdout: one `name  value` line each, aligned."""
    width = max(map(len, rows))
    for name, value in rows.items():
        typer.echo(f"{name:<{width}}  {value}")


def as_json(data: Any) -> None:
    """The result of a command as one JSON document on stdout."""
    json.dump(data, sys.stdout, indent=2)
    sys.stdout.write("\n")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Left-aligned columns on stdout; plain text, so that it can be cut and pasted."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def tree(data: Mapping[str, Any], indent: str = "") -> None:
    """Nested data on stdout, one `name  value` line each, deeper levels indented."""
    width = max(map(len, data), default=0)
    for name, value in data.items():
        if isinstance(value, Mapping):
            typer.echo(f"{indent}{name}")
            tree(value, indent + "  ")
        else:
            shown = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            typer.echo(f"{indent}{name:<{width}}  {shown}".rstrip())


def next_line(*words: str | Path) -> None:
    """The last line of a command: what to type next, ready to paste."""
    typer.echo(f"\nnext: {command_line(*words)}")


def command_line(*words: str | Path) -> str:
    """A command line that can be pasted into a shell as it is."""
    return shlex.join(["edgebin", *map(str, words)])


def size(path: Path) -> str:
    """A file with its size, such as `a.onnx (35.2 KB)`."""
    return f"{path} ({byte_size(path.stat().st_size)})"


def byte_size(bytes_: int) -> str:
    """Bytes in decimal units, as file managers count them."""
    if bytes_ < 1000:
        return f"{bytes_} bytes"
    amount, unit = bytes_ / 1000, "KB"
    for larger in ("MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"
