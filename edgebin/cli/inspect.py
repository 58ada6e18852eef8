"""`edgebin inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An ONNX file, an export folder or a bundle.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what a model is made of.

    Operators, parameters, bits and operations; and for each operator that stays full precision, why.
    """
