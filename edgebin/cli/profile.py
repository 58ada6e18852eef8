"""`edgebin profile`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How the result is printed."""

    table = "table"
    json = "json"
    md = "md"
    csv = "csv"


def profile(
    bundle: Annotated[Path, typer.Argument(metavar="X.ebz", help="A bundle made by `edgebin compile`.")],
    baseline: Annotated[
        str, typer.Option("--baseline", metavar="LIST", help="What to compare with, comma separated: fp32, int8, none.")
    ] = "fp32,int8",
    baseline_model: Annotated[
        Path | None,
        typer.Option(
            "--baseline-model", metavar="FILE", help="ONNX file of the full-precision twin for the baselines."
        ),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", "-T", min=1, help="Threads, the same for all.")] = 1,
    pin: Annotated[bool, typer.Option("--pin/--no-pin", help="Pin threads to processors.")] = True,
    min_runs: Annotated[int, typer.Option("--min-runs", min=1, help="At least so many timed runs of each.")] = 50,
    min_seconds: Annotated[float, typer.Option("--min-seconds", min=0, help="And at least so long.")] = 2.0,
    format_: Annotated[Format, typer.Option("-o", "--output", help="How to print the result.")] = Format.table,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="DIR", help="Run folder to write [default: runs/DATE-TARGET-BUNDLE]"),
    ] = None,
) -> None:
    """Measure latency, or estimate it for a board.

    On this host the bundle and its full-precision twin (onnxruntime, fp32 and int8) are timed in turns, in the same
    run. Without its board an ARM bundle gets a static estimate, which every output marks as one.
    """
