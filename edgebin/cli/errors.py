"""The one place where errors become words on stderr and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from edgebin.errors import EdgebinError

UNFORESEEN = 1

_log = logging.getLogger("edgebin")


class Root(TyperGroup):
    """The `edgebin` command: runs a subcommand, and reports whatever it raises in one form.

    ```
    error: what failed and why

    hint: one action that helps
    ```

    Exit codes are those of `edgebin.errors`; 130 after Ctrl-C; 1 for what nobody foresaw. `-v` adds the traceback.
    """

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Runs the command line and exits."""
        # Outside its standalone mode Typer raises usage errors and returns exit codes, so that all of them end here.
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except EdgebinError as error:
            _report(error.message, error.hint)
            code = error.exit_code
        except TyperException as error:
            _report(_sentence(error.format_message()), _usage_hint(error))
            code = error.exit_code
        except Abort:
            _report("stopped at the prompt", None)
            code = UNFORESEEN
        except Exception as error:  # noqa: BLE001 (the boundary: nobody sees a traceback unasked)
            _report(f"unforeseen {type(error).__name__}: {error}", "`edgebin -v …` shows where it happened")
            code = UNFORESEEN
        sys.exit(code if isinstance(code, int) else 0)


def _report(message: str, hint: str | None) -> None:
    _log.debug("the error was raised here", exc_info=True)
    typer.echo(f"{_label('error:', typer.colors.RED)} {message}", err=True)
    if hint:
        typer.echo(f"\n{_label('hint:', typer.colors.CYAN)} {hint}", err=True)


def _label(word: str, color: str) -> str:
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        return word
    return typer.style(word, fg=color, bold=True)


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _usage_hint(error: TyperException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path} --help` says what it takes" if context is not None else None
