"""`edgebin report`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgebin.report import Run

_PIPE_COLUMNS = 120


class Format(StrEnum):
    """The forms of a report."""

    table = "table"
    html = "html"
    md = "md"
    csv = "csv"
    json = "json"


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN…", help="Folders of `edgebin profile`, or a run.json; several compare.")
    ],
    file: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write it: FILE.html, .md, .csv or .json."),
    ] = None,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="Its form. [default: as FILE's name ends; on screen a table]"),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show FILE with what this desktop opens it with.")] = False,
) -> None:
    """Report runs: as one HTML page, Markdown, CSV or JSON.

    The page needs no network: headline, latencies and how they spread, layers, threads, power and energy, the machine,
    whether to trust it all, and how it was measured. Estimates are marked as estimates everywhere.
    """
    from edgebin.errors import InputError
    from edgebin.report import read_run, write_report

    form = _form(file, format_)
    if file is None and open_:
        raise InputError("nothing to open", hint="name a file: `-o report.html --open`")
    read = [read_run(path) for path in runs]
    if file is None:
        _print(read, form)
        return
    write_report(file, _text(read, form))
    output.fields({"wrote": output.size(file)})
    if open_:
        typer.launch(str(file))


def _form(file: Path | None, format_: Format | None) -> Format:
    from edgebin.errors import InputError

    if format_ is not None:
        if file is not None and format_ is Format.table:
            raise InputError("the table is for the screen", hint="write FILE.html, .md, .csv or .json")
        return format_
    if file is None:
        return Format.table
    endings = {".html": Format.html, ".htm": Format.html, ".md": Format.md, ".csv": Format.csv, ".json": Format.json}
    if file.suffix.lower() not in endings:
        raise InputError(
            f"what form `{file}` has to have is not in its name",
            hint="end it in .html, .md, .csv or .json, or give `--format`",
        )
    return endings[file.suffix.lower()]


def _text(runs: Sequence[Run], form: Format) -> str:
    from edgebin import report as forms

    records = [run.record for run in runs]
    if form is Format.html:
        return forms.report_html(runs)
    if form is Format.json:
        return forms.reports_json(records)
    return forms.report_markdown(*records) if form is Format.md else forms.report_csv(*records)


def _print(runs: Sequence[Run], form: Format) -> None:
    from edgebin.report import report_screen

    if form is not Format.table:
        typer.echo(_text(runs, form), nl=False)
        return
    from rich.console import Console

    # Into a pipe or file there is no terminal whose width to keep.
    Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(report_screen(*(run.record for run in runs)))
