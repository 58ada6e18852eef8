"""`edgebin doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output

if TYPE_CHECKING:
    from edgebin.toolchain.doctor import Check

_MISSING, _WRONG_KIND = 4, 6


def doctor(
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[X.ebz]", help="With --host: can the board run this bundle?")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="HOST",
            help="Check this board instead: a device of `edgebin devices`, or a host as `ssh` takes it, such as "
            "pi@board.",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option("-t", "--target", metavar="TARGET", help="With --host: is it such a board?")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check this machine, or a board.

    Shows what edgebin finds, what is missing, what that is needed for, and the fix. Exit code 4 if something is
    missing without which nothing works, 5 if the board cannot be reached, 6 if it is the wrong kind of machine.
    """
    from edgebin.errors import InputError

    if bundle is not None and target is not None:
        raise InputError("a bundle is for a target already", hint="leave `-t` out")
    if host is not None:
        check_board(host, bundle, target, json)
    elif bundle is not None or target is not None:
        raise InputError("which board is it to run on?", hint="`--host HOST`; `--host local` for this machine")
    else:
        _this_machine(json)


def _this_machine(json: bool) -> None:
    from edgebin.kernels.select import host_paths
    from edgebin.toolchain.doctor import examine

    checks = examine(host_paths())
    broken = any(check.required and not check.ok for check in checks)
    if json:
        output.as_json({"ok": not broken, "checks": _plain(checks)})
    else:
        _show(checks)
    if broken:
        raise typer.Exit(_MISSING)


def check_board(host: str, bundle: Path | None, target: str | None, json: bool) -> None:
    """What `doctor --host` and `devices check` do."""
    from contextlib import closing

    from edgebin.board.state.examine import examine_board
    from edgebin.board.transports.reach import reach
    from edgebin.bundle import open_bundle
    from edgebin.targets import load_target

    wanted = open_bundle(bundle).manifest if bundle is not None else load_target(target) if target is not None else None
    with closing(reach(host)) as transport:
        found = examine_board(transport, wanted)
    if json:
        output.as_json(
            {
                "ok": not found.broken,
                "host": found.name,
                "target": found.target,
                "checks": _plain(found.checks),
                "board": found.board and found.board.model_dump(mode="json"),
            }
        )
    else:
        _show(found.checks)
    if found.broken:
        raise typer.Exit(_WRONG_KIND if found.wrong_kind else _MISSING)


def _plain(checks: Sequence[Check]) -> list[dict[str, object]]:
    from dataclasses import asdict

    return [asdict(check) | {"ok": check.ok} for check in checks]


def _show(checks: Sequence[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        state = "ok" if check.ok else "MISSING" if check.found is None else "PROBLEM"
        typer.echo(f"{state:<8} {check.name:<{width}}  {check.found or '-'}")
        if not check.ok:
            for line in (check.problem, f"needed for: {check.needed_for}", f"fix: {check.fix}"):
                if line:
                    typer.echo(f"{'':<8} {'':<{width}}  {line}")
