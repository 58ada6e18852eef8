"""What a profile says, for people: one set of tables, shown on screen, as Markdown, CSV or JSON."""

from edgebin.report.render import report_csv, report_json, report_markdown, report_screen

__all__ = ["report_csv", "report_json", "report_markdown", "report_screen"]
