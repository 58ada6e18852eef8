"""A report as text: on screen, Markdown, CSV, JSON. The page in HTML is in page.py."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from edgebin.profile.quantities import EstimatedEnergy, EstimatedLatency, MeasuredEnergy, MeasuredLatency
from edgebin.profile.record import RunRecord, Variant
from edgebin.report.cells import split_interval
from edgebin.report.explanations import explanations, summary_line
from edgebin.report.run import Failed
from edgebin.report.tables import Table, layers_tables, runs_table, variants_table
from edgebin.report.text import clean, in_markdown, markdown_line

_ESTIMATED_BOUNDARY = "the board at its input"
_CSV_COLUMNS = (
    *("bundle", "target", "host", "threads", "variant", "engine", "kind", "p50_ms", "p90_ms", "p99_ms", "min_ms"),
    *("mean_ms", "stdev_ms", "error_low", "error_high", "reference", "speedup", "ci95_low", "ci95_high", "file_bytes"),
    *("peak_rss_bytes", "load_ms", "first_ms", "energy_kind", "total_j_per_inference", "dynamic_j_per_inference"),
    *("total_low_j_per_inference", "total_high_j_per_inference", "mean_w", "power_source", "power_trust"),
    *("power_boundary", "valid"),
)
_MOST_COLUMNS = 7
_MEASURED_LATENCY = ("p90_ms", "p99_ms", "min_ms", "mean_ms", "stdev_ms")
_MEASURED_ENERGY = ("total_j_per_inference", "dynamic_j_per_inference", "mean_w")
_ESTIMATED_ENERGY = ("total_low_j_per_inference", "total_high_j_per_inference")


def report_screen(*records: RunRecord, failed: Sequence[Failed] = (), top: int = 10) -> Group:
    """For a rich console. `failed`: boards without a run."""
    parts: list[Text | RichTable] = [_rich(runs_table(records))] if len(records) > 1 else []
    parts += [Text(clean(f"failed: {board.board}: {board.error}")) for board in failed]
    for record in records:
        parts += [Text("")] if len(records) > 1 else []
        parts += [Text(clean(summary_line(record))), _rich(variants_table(record))]
        parts += [_rich(table) for table in layers_tables(record, top)]
        parts += [Text(clean(line), style="dim") for line in explanations(record)]
    return Group(*parts)


def report_markdown(*records: RunRecord, failed: Sequence[Failed] = (), top: int = 10) -> str:
    """To paste into an issue or a README. `failed`: boards without a run."""
    blocks = [_markdown(runs_table(records))] if len(records) > 1 else []
    blocks += [markdown_line(f"Failed: {board.board}: {board.error}") for board in failed]
    for record in records:
        blocks += [markdown_line(summary_line(record)), _markdown(variants_table(record))]
        for table in layers_tables(record, top):
            blocks += [f"{markdown_line(table.title)}:"] if len(record.bundles) > 1 else []
            blocks.append(_markdown(table))
        blocks.append("\n".join(f"- {markdown_line(line)}" for line in explanations(record)))
    return "\n\n".join(blocks) + "\n"


def report_csv(*records: RunRecord) -> str:
    """One line per variant and number of threads, plain numbers; `kind` says what the latencies are."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _CSV_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for record in records:
        writer.writerows(_csv_row(record, variant) for variant in record.variants)
    return stream.getvalue()


def report_json(record: RunRecord) -> str:
    """What `run.json` holds."""
    return json.dumps(record.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def reports_json(records: Sequence[RunRecord]) -> str:
    """A list of what the `run.json` of each holds."""
    plain = [record.to_dict() for record in records]
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _csv_row(record: RunRecord, variant: Variant) -> dict[str, object]:
    files = {bundle.variant: bundle.name for bundle in record.bundles}
    latency, speedup, energy = variant.latency, variant.speedup, variant.energy
    row: dict[str, object] = {
        "bundle": files.get(variant.name, record.bundles[0].name),
        "target": record.device.target,
        "host": record.device.host,
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
        row |= {name: getattr(latency, name) for name in _MEASURED_LATENCY}
    if isinstance(latency, EstimatedLatency):
        row |= {"error_low": latency.error_bound.low, "error_high": latency.error_bound.high}
    if speedup is not None:
        row |= {"reference": record.reference, "speedup": speedup.of_medians}
        row |= {"ci95_low": speedup.ci95_low, "ci95_high": speedup.ci95_high}
    if isinstance(energy, MeasuredEnergy):
        row |= {"energy_kind": energy.kind, **{name: getattr(energy, name) for name in _MEASURED_ENERGY}}
        if record.power is not None:
            power = record.power
            row |= {"power_source": power.source, "power_trust": power.trust, "power_boundary": power.boundary}
    if isinstance(energy, EstimatedEnergy):
        row |= {"energy_kind": energy.kind, "power_trust": "E", "power_boundary": _ESTIMATED_BOUNDARY}
        row |= {name: getattr(energy, name) for name in _ESTIMATED_ENERGY}
    return row


def _rich(table: Table) -> RichTable:
    shown = RichTable(title=table.title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for number, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if number else "left", overflow="fold")
    wide = len(table.columns) > _MOST_COLUMNS
    for name, *figures in table.rows:
        # A terminal has no room for many intervals beside their figures: they go below.
        cells = ["\n".join(filter(None, map(clean, split_interval(cell)))) if wide else clean(cell) for cell in figures]
        shown.add_row(Text(clean(name)), *map(Text, cells))
    return shown


def _markdown(table: Table) -> str:
    lines = [table.columns, ("---", *("---:" for _ in table.columns[1:])), *table.rows]
    header, rule, *rows = lines
    texts = [tuple(map(in_markdown, header)), rule, *(tuple(map(in_markdown, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in texts)
