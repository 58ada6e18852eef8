"""`edgebin models`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from edgebin.cli import output

app = typer.Typer(help="List the systems it can read.", rich_markup_mode=None)


@app.callback()
def _models() -> None:
    """List the systems it can read."""


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """List the networks known by name.

    These are what `edgebin export --model` takes. Networks of the same family in other sizes are read too: a checkpoint
    that says its sizes needs no `--model`.
    """
    from edgebin.models.registry import PRESETS, family_name

    if json:
        output.as_json(
            [{"id": name, "family": family_name(config), "config": asdict(config)} for name, config in PRESETS.items()]
        )
        return
    rows = [
        (
            name,
            family_name(config),
            f"{config.image_size}x{config.image_size}",
            "+".join(map(str, config.depths)),
            "+".join(map(str, config.dims)),
        )
        for name, config in PRESETS.items()
    ]
    output.table(("model", "family", "image", "layers", "width"), rows)
    output.next_line("export", "checkpoint.pth", "--model", rows[0][0])
