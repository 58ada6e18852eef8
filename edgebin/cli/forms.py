"""How profiles are shown: the forms that `profile` and `report` print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from edgebin.profile import RunRecord
    from edgebin.report import Failed

_PIPE_COLUMNS = 120


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    md = "md"
    csv = "csv"


def show(records: Sequence[RunRecord], form: Format, failed: Sequence[Failed] = ()) -> None:
    """On stdout. `failed`: boards without a record."""
    if form is not Format.table:
        typer.echo(text_of(records, form, failed), nl=False)
        return
    from rich.console import Console

    from edgebin.report import report_screen

    # Into a pipe or file there is no terminal whose width to keep.
    console = Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS)
    console.print(report_screen(*records, failed=failed))


def text_of(records: Sequence[RunRecord], form: Format, failed: Sequence[Failed] = ()) -> str:
    """All forms but the table. JSON is a list of records."""
    from edgebin import report

    if form is Format.json:
        return report.reports_json(records)
    return report.report_csv(*records) if form is Format.csv else report.report_markdown(*records, failed=failed)
