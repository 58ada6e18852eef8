"""`--host`, the same for all commands that have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output

if TYPE_CHECKING:
    from edgebin.board import Machine

HostOption = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="HOST",
        help="Run on this board: a device of `edgebin devices`, or a host as `ssh` takes it, such as pi@board.",
    ),
]


def copied(machine: Machine) -> dict[str, str]:
    """What had to be copied to a board; nothing for other machines."""
    from edgebin.board import RemoteMachine

    return {"copied": output.byte_size(machine.copied_bytes)} if isinstance(machine, RemoteMachine) else {}
