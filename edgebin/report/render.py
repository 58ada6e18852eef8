"""The four forms of a report: screen, Markdown, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from edgebin.profile.quantities import EstimatedLatency, MeasuredLatency
from edgebin.profile.record import RunRecord
from edgebin.report.tables import Table, explanations, layers_tables, summary_line, variants_table

_CSV_COLUMNS = (
    *("bundle", "target", "threads", "variant", "engine", "kind", "p50_ms", "p90_ms", "p99_ms", "min_ms", "mean_ms"),
    *("stdev_ms", "error_low", "error_high", "speedup", "ci95_low", "ci95_high", "file_bytes"),
    *("peak_rss_bytes", "load_ms", "first_ms", "valid"),
)


def report_screen(record: RunRecord, *, top: int = 10) -> Group:
    """For a rich console."""
    parts: list[Text | RichTable] = [Text(summary_line(record)), _rich(variants_table(record))]
    parts += [_rich(table) for table in layers_tables(record, top)]
    return Group(*parts, *(Text(line, style="dim") for line in explanations(record)))


def report_markdown(record: RunRecord, *, top: int = 10) -> str:
    """To paste into an issue or a README."""
    blocks = [summary_line(record), _markdown(variants_table(record))]
    for table in layers_tables(record, top):
        blocks += [f"{table.title}:"] if len(record.bundles) > 1 else []
        blocks.append(_markdown(table))
    blocks.append("\n".join(f"- {line}" for line in explanations(record)))
    return "\n\n".join(blocks) + "\n"


def report_csv(record: RunRecord) -> str:
    """One line per variant, plain numbers; `kind` says what the latencies are."""
    stream = io.StringIO()
    speedup_column = f"speedup_vs_{record.reference}"
    columns = [speedup_column if column == "speedup" else column for column in _CSV_COLUMNS]
    files = {bundle.variant: bundle.name for bundle in record.bundles}
    writer = csv.DictWriter(stream, columns, lineterminator="\n", restval="")
    writer.writeheader()
    for variant in record.variants:
        latency, speedup = variant.latency, variant.speedup
        row: dict[str, object] = {
            "bundle": files.get(variant.name, record.bundles[0].name),
            "target": record.device.target,
            "threads": variant.threads,
            "variant": variant.name,
            "engine": variant.engine,
            "kind": latency.kind,
            "p50_ms": latency.p50_ms,
            "file_bytes": variant.file_bytes,
            "peak_rss_bytes": variant.peak_rss_bytes,
            "load_ms": variant.load_ms,
            "first_ms": variant.first_ms,
            "valid": record.validity.ok,
        }
        if isinstance(latency, MeasuredLatency):
            row |= {name: getattr(latency, name) for name in ("p90_ms", "p99_ms", "min_ms", "mean_ms", "stdev_ms")}
        if isinstance(latency, EstimatedLatency):
            row |= {"error_low": latency.error_bound.low, "error_high": latency.error_bound.high}
        if speedup is not None:
            row |= {speedup_column: speedup.of_medians}
            row |= {"ci95_low": speedup.ci95_low, "ci95_high": speedup.ci95_high}
        writer.writerow(row)
    return stream.getvalue()


def report_json(record: RunRecord) -> str:
    """What `run.json` holds."""
    return json.dumps(record.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rich(table: Table) -> RichTable:
    shown = RichTable(title=table.title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for number, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    return shown


def _markdown(table: Table) -> str:
    lines = [table.columns, ("---", *("---:" for _ in table.columns[1:])), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
