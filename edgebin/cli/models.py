"""`edgebin models`."""

from __future__ import annotations

import typer

app = typer.Typer(help="List the systems it can read.", rich_markup_mode=None)
