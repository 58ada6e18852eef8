"""`edgebin devices`."""

from __future__ import annotations

from typing import Annotated

import typer

from edgebin.cli import output

app = typer.Typer(
    help="Give boards names, look after them, clean them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name that `devices add` was given.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, `_`, `-` and `.`")],
    host: Annotated[
        str,
        typer.Option("--host", metavar="HOST", help="A host as `ssh` takes it, such as pi@board."),
    ],
    target: Annotated[
        str | None,
        typer.Option("-t", "--target", metavar="TARGET", help="Which board it is."),
    ] = None,
) -> None:
    """Register a board; every `--host` takes its name.

    How to get there (user, port, key, jump host) can also stand in ~/.ssh/config. Nothing is asked of the board yet.
    """
    from edgebin.board.transports.devices import add_device, registry_path
    from edgebin.targets import load_target

    if target is not None:
        target = load_target(target).id
    device = add_device(name, host, target)
    output.fields({"added": f"{device.name}: {device.host}", "to": str(registry_path())})
    output.next_line("devices", "check", name)


@app.command("list")
def list_(json: JsonOption = False) -> None:
    """Show all registered boards."""
    from edgebin.board.transports.devices import registered_devices

    devices = registered_devices().values()
    if json:
        output.as_json([device.model_dump() for device in devices])
    elif devices:
        output.table(("name", "host", "target"), [(d.name, d.host, d.target or "") for d in devices])
        output.next_line("devices", "check", next(iter(devices)).name)
    else:
        output.next_line("devices", "add", "NAME", "--host", "pi@board")


@app.command()
def check(name: NameArgument, json: JsonOption = False) -> None:
    """Connect to a board: what it is, whether it is the target that it was registered as, what is missing.

    The agent, a program that measures there, is copied to it. The same as `doctor --host NAME`, with its exit codes.
    """
    from edgebin.board.transports.devices import find_device
    from edgebin.cli.doctor import check_board

    check_board(name, None, find_device(name).target, json)


@app.command()
def remove(name: NameArgument) -> None:
    """Forget a board; `devices clean` before that removes what is on it."""
    from edgebin.board.transports.devices import remove_device

    output.fields({"removed": f"{name}: {remove_device(name).host}"})


@app.command()
def clean(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A device, or a host as `ssh` takes it.")],
) -> None:
    """Remove everything that edgebin has put on a board.

    That is one folder: bundles, programs, and the results of jobs that nobody has fetched. Refused while a job runs.
    """
    from contextlib import closing

    from edgebin.board import reach
    from edgebin.board.store.clean import clean_board

    with closing(reach(name)) as transport:
        cleaned = clean_board(transport)
        output.fields(
            {
                "removed": f"{cleaned.folder} on {transport.name}",
                "held": f"{cleaned.bundles} bundles, {cleaned.jobs} jobs with results, "
                f"{output.byte_size(cleaned.bytes_)}",
            }
        )
