"""How a command reaches a board word by word, whatever shell logs in there, and how its end is told from a lost link.

`ssh` gives the login shell one line, and the exit code 255 means both "the connection broke" and "the program ended
with 255". So the line starts `sh` on a text in which nothing but letters, digits and backslashes stands (sh, bash, zsh,
fish and csh agree on these), and what the program writes stands between marks:

    stdout:  (what a login script prints)  MARK  what the program writes  MARK
    stderr:  (the same)                    MARK  what the program writes  MARK and its exit code

An output without its last mark is one that has not arrived whole.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

from edgebin.errors import InputError

_LONGEST_LINE = 128 * 1024 - 1  # Linux takes no longer argument (MAX_ARG_STRLEN)
_PLAIN = re.compile(rb"[A-Za-z0-9_./:=,@+ -]")

# Ends the program, and what it has started, when standard input ends: the host closes it, or is gone. A board without
# `setsid` ends the program alone.
_WATCHED = """
exec 3<&0
$(command -v setsid) {words} </dev/null 3<&- &
program=$!
{{ read -r line <&3; kill -s TERM -- "-$program" || kill "$program"; }} >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$program"
status=$?
{{ kill "$watch"; wait "$watch"; }} 2>/dev/null
"""
_FED = """
{words}
status=$?
"""


def remote_line(command: Sequence[str], mark: str, *, fed: bool) -> str:
    """The line for the login shell. The program gets standard input if it is `fed`; if not, it ends when that ends.

    Raises:
        InputError: the command is longer than Linux takes.
    """
    words = " ".join(map(shlex.quote, command))
    script = (_FED if fed else _WATCHED).format(words=words)
    line = shell_line(f"echo {mark}; echo {mark} >&2\n{script}\necho {mark}; echo {mark} $status >&2")
    if len(line) > _LONGEST_LINE:
        raise InputError(f"a command line of {len(line)} characters is too long for a board")
    return line


def shell_line(script: str) -> str:
    """A script for `sh`, as a line for any login shell."""
    encoded = b"".join(
        bytes([byte]) if _PLAIN.match(bytes([byte])) else b"\\0%03o" % byte for byte in os.fsencode(script)
    )
    return f"""exec sh -c 'eval "$(printf %b "$1")"' edgebin '{encoded.decode()}'"""


def unwrap_stdout(stdout: bytes, mark: str) -> bytes | None:
    """What the program wrote; None if not all of it has arrived."""
    _, begun, rest = stdout.partition(_line(mark))
    written, ended, _ = rest.rpartition(_line(mark))
    return written if begun and ended else None


def unwrap_stderr(stderr: bytes, mark: str) -> tuple[str, int] | None:
    """What the program wrote and its exit code; None if not all of it has arrived."""
    _, begun, rest = stderr.partition(_line(mark))
    written, ended, tail = rest.rpartition(mark.encode() + b" ")
    status, newline, _ = tail.partition(b"\n")
    if not (begun and ended and newline and status.isdigit()):
        return None
    return written.decode(errors="replace"), int(status)


def _line(mark: str) -> bytes:
    return mark.encode() + b"\n"
