"""`edgebin report`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edgebin.cli import output
from edgebin.cli.forms import Format, show, text_of


class ReportFormat(StrEnum):
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
        ReportFormat | None,
        typer.Option("--format", help="Its form. [default: as FILE's name ends; on screen a table]"),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show FILE with what this desktop opens it with.")] = False,
) -> None:
    """Report runs: as one HTML page, Markdown, CSV or JSON.

    The page needs no network: headline, latencies and how they spread, layers, threads, power and energy, the machine,
    whether to trust it all, and how it was measured. Estimates are marked as estimates everywhere.
    """
    from edgebin.errors import InputError
    from edgebin.report import read_runs, report_html, write_report

    form = _form(file, format_)
    if file is None and open_:
        raise InputError("nothing to open", hint="name a file: `-o report.html --open`")
    found, failed = read_runs(runs)
    records = [run.record for run in found]
    if file is None and form is ReportFormat.table:
        show(records, Format.table, failed)
        return
    text = report_html(found, failed) if form is ReportFormat.html else text_of(records, Format(form.value), failed)
    if file is None:
        typer.echo(text, nl=False)
        return
    write_report(file, text)
    output.fields({"wrote": output.size(file)})
    if open_:
        typer.launch(str(file))


def _form(file: Path | None, format_: ReportFormat | None) -> ReportFormat:
    from edgebin.errors import InputError

    if format_ is not None:
        if file is not None and format_ is ReportFormat.table:
            raise InputError("the table is for the screen", hint="write FILE.html, .md, .csv or .json")
        return format_
    if file is None:
        return ReportFormat.table
    endings = {f".{form.value}": form for form in ReportFormat if form is not ReportFormat.table}
    if file.suffix.lower() not in endings:
        raise InputError(
            f"what form `{file}` has to have is not in its name",
            hint="end it in .html, .md, .csv or .json, or give `--format`",
        )
    return endings[file.suffix.lower()]
