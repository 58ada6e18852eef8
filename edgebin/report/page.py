"""The report as a page: one HTML file that needs no network, no font and no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import edgebin
from edgebin.profile.record import RunRecord
from edgebin.report.cells import split_interval
from edgebin.report.charts.runs import runs_chart
from edgebin.report.headline import headline
from edgebin.report.run import Failed, Run
from edgebin.report.tables import ours, runs_table
from edgebin.report.text import clean
from edgebin.report.view import Charts, run_view

_TEMPLATES = Path(__file__).with_name("templates")


def report_html(runs: Sequence[Run], failed: Sequence[Failed] = ()) -> str:
    """The page of one run, or of several with their comparison first, and the boards that have none."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else clean(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["interval"] = split_interval
    environment.filters["code"] = _code
    charts = Charts()
    records = [run.record for run in runs]
    comparison = None
    compared = [record for record in records if ours(record).speedup is not None]
    if len(runs) > 1 or failed:
        comparison = {
            "table": runs_table(records),
            "chart": charts(partial(runs_chart, compared)) if compared else None,
            "failed": failed,
        }
    return environment.get_template("page.html.j2").render(
        style=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=_title(records, failed),
        version=edgebin.__version__,
        comparison=comparison,
        runs=[run_view(number, run, charts) for number, run in enumerate(runs, start=1)],
    )


def _title(records: Sequence[RunRecord], failed: Sequence[Failed]) -> str:
    if len(records) == 1 and not failed:
        return headline(records[0])
    runs = f"{len(records)} run{'s' if len(records) > 1 else ''} compared"
    return f"{runs}, {len(failed)} failed" if failed else runs


def _code(text: str) -> Markup:
    """What stands between backticks as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(clean(text)))))
