"""What a profile says, for people: on screen, as Markdown, CSV, JSON, and as a page."""

from edgebin.report.page import report_html
from edgebin.report.render import report_csv, report_json, report_markdown, report_screen, reports_json
from edgebin.report.run import Failed, Run, read_run, read_runs
from edgebin.report.write import write_report

__all__ = [
    "Failed",
    "Run",
    "read_run",
    "read_runs",
    "report_csv",
    "report_html",
    "report_json",
    "report_markdown",
    "report_screen",
    "reports_json",
    "write_report",
]
