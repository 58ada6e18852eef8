"""`edgebin profile`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output

if TYPE_CHECKING:
    from edgebin.profile import RunRecord


_PIPE_COLUMNS = 120


class Format(StrEnum):
    """How the result is printed."""

    table = "table"
    json = "json"
    md = "md"
    csv = "csv"


def profile(
    bundles: Annotated[
        list[Path], typer.Argument(metavar="X.ebz…", help="Bundles made by `edgebin compile`, all for one target.")
    ],
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            metavar="LIST",
            help="What to compare with, comma separated: fp32, int8 (onnxruntime); tflite, tflite-int8 (LiteRT); "
            "tflite-runtime (which runs TFLite bundles too, with our delegate); lce (Larq's, of --lce-only); none.",
        ),
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
    min_seconds: Annotated[float, typer.Option("--min-seconds", min=0, help="And at least so long.")] = 5.0,
    format_: Annotated[Format, typer.Option("-o", "--output", help="How to print the result.")] = Format.table,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="DIR", help="Run folder to write [default: runs/DATE-TARGET-BUNDLE]"),
    ] = None,
) -> None:
    """Measure latency, or estimate it for a board.

    On this host bundles and their full-precision twin (onnxruntime, fp32 and int8) are timed in turns, in the same run.
    Without their board ARM bundles get a static estimate, which every output marks as one.
    """
    from edgebin.bundle import open_bundle
    from edgebin.errors import MeasurementInvalid
    from edgebin.profile import default_run_folder, profile_bundles

    save = save or default_run_folder(bundles, open_bundle(bundles[0]).manifest.target.id)
    output.progress(f"profiling {', '.join(map(str, bundles))}")
    record = profile_bundles(
        bundles,
        baselines=() if baseline == "none" else tuple(baseline.split(",")),
        baseline_model=baseline_model,
        threads=threads,
        pin=pin,
        min_runs=min_runs,
        min_seconds=min_seconds,
        save=save,
    )
    _show(record, format_)
    output.progress(f"\nkept in {save}")
    if not record.validity.ok:
        raise MeasurementInvalid(
            f"the figures must not be trusted: {', '.join(record.validity.flags)}",
            flags=record.validity.flags,
            hint="stop what else this machine is doing, and profile again",
        )


def _show(record: RunRecord, format_: Format) -> None:
    from edgebin import report

    if format_ is Format.table:
        from rich.console import Console

        # Into a pipe or file there is no terminal whose width to keep.
        Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(report.report_screen(record))
    else:
        render = {Format.md: report.report_markdown, Format.csv: report.report_csv}
        text = report.report_json(record) if format_ is Format.json else render[format_](record)
        typer.echo(text, nl=False)
