"""The `edgebin` command: one module per subcommand, no logic in any; what is heavy is imported inside functions."""

from __future__ import annotations

import logging
from typing import Annotated, NoReturn

import typer

import edgebin
from edgebin.cli import compile as compile_
from edgebin.cli import devices, doctor, export, inspect, meter, models, profile, report, run, targets, unpack, verify
from edgebin.cli.errors import Root

app = typer.Typer(
    name="edgebin",
    cls=Root,
    help="Takes a trained binary vision transformer from PyTorch to an ARM board, and proves what it gained there.",
    epilog="The road: `export` a checkpoint, `compile` it for a target, then `run`, `verify` or `profile` the bundle.",
    # Plain text: the same on every terminal, and the documentation holds it word for word.
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edgebin {edgebin.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what happens, and show where an error was raised.")
    ] = False,
) -> None:
    logging.basicConfig(format="%(name)s: %(message)s")
    logging.getLogger("edgebin").setLevel(logging.DEBUG if verbose else logging.WARNING)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _name, _command in (
    ("export", export.export),
    ("compile", compile_.compile_),
    ("run", run.run),
    ("verify", verify.verify),
    ("profile", profile.profile),
    ("meter", meter.meter),
    ("report", report.report),
    ("inspect", inspect.inspect),
    ("unpack", unpack.unpack),
    ("doctor", doctor.doctor),
):
    app.command(_name)(_command)
app.add_typer(targets.app, name="targets")
app.add_typer(models.app, name="models")
app.add_typer(devices.app, name="devices")


def main() -> NoReturn:
    """Entry point of the `edgebin` command."""
    app(prog_name="edgebin")
    raise AssertionError("Root.main exits")
