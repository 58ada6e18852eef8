"""Writes docs/cli.md from what `--help` prints, so that the two cannot differ. `make docs` runs it, a test compares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from edgebin.cli import app

PAGE = Path(__file__).with_name("cli.md")

_INTRODUCTION = """\
# The `edgebin` command

This page is written by `docs/update_cli.py`: change the commands, then `make docs`.

Results go to stdout, progress and errors to stderr. `--json` prints one document for programs. Errors have one form,

```
error: what failed and why

hint: one action that helps
```

and one exit code for each kind:

| code | meaning |
|---|---|
| 0 | done, and verified where there was something to verify |
| 1 | unforeseen: `edgebin -v …` shows where |
| 2 | a file or value that cannot be used |
| 3 | verification failed: outputs differ |
| 4 | a compiler, emulator or runtime library is missing or failed |
| 5 | a machine could not be reached, or a program on it died |
| 6 | the artefact is sound, but this machine cannot run it |
| 7 | measured, but the figures must not be trusted |
| 130 | stopped with Ctrl-C |

`NO_COLOR` is honoured. `EDGEBIN_CACHE_DIR` moves the cache of fetched runtime libraries and compiled kernels.
"""


def commands(group: typer.Typer = app, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, groups included, such as ("targets", "list")."""
    for command in group.registered_commands:
        assert command.name or command.callback
        yield (*words, command.name or command.callback.__name__)
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        assert inner.name is not None
        yield (*words, inner.name)
        yield from commands(inner.typer_instance, (*words, inner.name))


def help_text(words: tuple[str, ...]) -> str:
    """What `edgebin WORDS --help` prints on a terminal of 100 columns."""
    environment = {"COLUMNS": "100", "NO_COLOR": "1"}
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="edgebin", env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def render() -> str:
    """The whole page."""
    sections = [_INTRODUCTION]
    for words in [(), *commands()]:
        title = " ".join(("edgebin", *words))
        sections.append(f"## `{title}`\n\n```\n$ {title} --help\n{help_text(words)}\n```\n")
    return "\n".join(sections)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
