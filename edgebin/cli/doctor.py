"""`edgebin doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from edgebin.cli import output


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check this machine.

    Shows what edgebin finds, what is missing, what that is needed for, and the fix. Exit code 4 if something is
    missing without which nothing works.
    """
    from dataclasses import asdict

    from edgebin.kernels.select import host_paths
    from edgebin.toolchain.doctor import examine

    checks = examine(host_paths())
    broken = any(check.required and not check.ok for check in checks)
    if json:
        output.as_json({"ok": not broken, "checks": [asdict(check) | {"ok": check.ok} for check in checks]})
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            typer.echo(f"{'ok' if check.ok else 'MISSING':<8} {check.name:<{width}}  {check.found or '-'}")
            if not check.ok:
                for line in (check.problem, f"needed for: {check.needed_for}", f"fix: {check.fix}"):
                    if line:
                        typer.echo(f"{'':<8} {'':<{width}}  {line}")
    if broken:
        raise typer.Exit(4)
