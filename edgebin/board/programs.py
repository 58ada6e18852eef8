"""Asks a static program that reads lines on standard input and answers on standard output, such as the probe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgebin.board.store.deploy import deploy_program
from edgebin.board.transports.transport import Transport
from edgebin.errors import BoardError
from edgebin.toolchain.process import tail


def ask_program(transport: Transport, program: Path, name: str, lines: Sequence[str]) -> str:
    """What `program batch` answers to these lines on a machine; it is copied there, as NAME, if it is not yet.

    Raises:
        ConnectionLost, BoardError: the machine cannot be reached, or the program failed there.
    """
    there = deploy_program(transport, program, name)
    text = "".join(f"{line}\n" for line in lines).encode()
    try:
        done = transport.run([str(there.path), "batch"], stdin=text)
    except BoardError as error:
        if error.hint is None and "cannot run" in error.message:
            error.hint = "is it of the architecture of the target (`-t`)?"
        raise
    if done.returncode != 0:
        raise BoardError(f"the program ended with {done.returncode} on {transport.name}\n{tail(done.stderr)}")
    return done.stdout.decode(errors="replace")
