"""What a profile says, for people: on screen, as Markdown, CSV, JSON, and as a page."""

from edgebin.report.render import report_csv, report_json, report_markdown, report_screen, reports_json

__all__ = ["report_csv", "report_json", "report_markdown", "report_screen", "reports_json"]
