"""`edgebin verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="X.ebz", help="A bundle made by `edgebin compile`.")],
    threads: Annotated[int, typer.Option("--threads", "-T", min=1, help="Threads to compute with.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check a bundle against its golden outputs.

    Runs on this host; an ARM bundle runs under QEMU, as the target's own processor model. Exit code 3 if outputs
    differ.
    """
