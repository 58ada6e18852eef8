"""`edgebin verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgebin.cli import output
from edgebin.cli.host import HostOption, copied


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="X.ebz", help="A bundle made by `edgebin compile`.")],
    host: HostOption = None,
    threads: Annotated[int, typer.Option("--threads", "-T", min=1, help="Threads to compute with.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check a bundle against its golden outputs.

    Runs on this host; an ARM bundle runs under QEMU, as the target's own processor model. With `--host` on a board:
    what it does not have yet of the bundle is copied there. Exit code 3 if outputs differ.
    """
    from dataclasses import asdict

    from edgebin.board import check_bundle, machine_at, verify_bundle
    from edgebin.bundle import open_bundle
    from edgebin.errors import VerificationError

    opened = open_bundle(bundle)
    with machine_at(host, opened) as machine:
        if json:
            report = check_bundle(opened, machine=machine, threads=threads)
            output.as_json(asdict(report) | {"outputs": [found.model_dump() for found in report.outputs]})
            if not report.passed:
                raise typer.Exit(VerificationError.exit_code)
            return
        report = verify_bundle(opened, machine=machine, threads=threads)
        output.fields(
            {
                "verified": f"{bundle} on {report.machine}",
                **copied(machine),
                "compared": f"{report.rows} golden images; outputs differ by {report.max_abs_diff:.1e} at most "
                f"(allowed {report.atol:g} + {report.rtol:g} x golden)",
            }
        )
    output.next_line("profile", bundle, *(() if host is None else ("--host", host)))
