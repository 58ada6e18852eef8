"""How long an inference takes: a bar for each variant."""

from __future__ import annotations

from edgebin.profile.quantities import EstimatedLatency, Latency
from edgebin.profile.record import RunRecord
from edgebin.report.cells import bound_text, digits
from edgebin.report.charts.drawing import Drawing
from edgebin.report.charts.marks import marks
from edgebin.report.charts.rows import Rows
from edgebin.report.charts.scale import scale

_HALF = 8.0


def latency_chart(record: RunRecord, threads: int, width: float) -> Drawing:
    """Variants with so many threads, slowest first. A line goes on to p99, or over an estimate's error bound."""
    variants = sorted(
        (variant for variant in record.variants if variant.threads == threads), key=lambda v: -v.latency.p50_ms
    )
    rows = Rows(width, len(variants), figures=150.0)
    figures = [
        f"~{digits(v.latency.p50_ms)} ms (est.)" if v.latency.kind == "estimate" else f"{digits(v.latency.p50_ms)} ms"
        for v in variants
    ]
    drawing = Drawing(
        width,
        rows.height,
        f"{'Estimated time' if record.kind == 'estimate' else 'Time'} of one inference, {record.device.name}",
        "\n".join(f"{v.name}: {figure}." for v, figure in zip(variants, figures, strict=True)),
    )
    axis = scale([end for v in variants for end in _reach(v.latency)], rows.begin, rows.end)
    rows.axis(drawing, axis, "ms")
    found = marks(record)
    for number, (variant, figure) in enumerate(zip(variants, figures, strict=True)):
        mark, latency, y = found[variant.name], variant.latency, rows.middle(number)
        mark.draw(drawing, 6, y if not rows.narrow else y - 21.5, latency.kind)
        rows.label(drawing, number, variant.name, figure, indent=18)
        form = "solid" if latency.kind == "measured" else "estimate"
        end = axis(latency.p50_ms)
        drawing.rectangle(axis(0), y - _HALF, end - axis(0), 2 * _HALF, f"{mark.colour} {form}")
        low, high = map(axis.clamped, _reach(latency))
        drawing.line((low, y), (high, y), "whisker")
        for x in (low, high) if latency.kind == "estimate" else (high,):
            drawing.line((x, y - 5), (x, y + 5), "whisker")
    return drawing


def latency_caption(record: RunRecord) -> str:
    """What the chart shows."""
    first = record.variants[0].latency
    if isinstance(first, EstimatedLatency):
        return f"Hollow bars are estimates; the line is their error bound, {bound_text(first)}."
    return "Bars end at the median, the line goes on to p99."


def _reach(latency: Latency) -> tuple[float, float]:
    """From the median to p99, or between the ends of the error bound."""
    if isinstance(latency, EstimatedLatency):
        bound = latency.error_bound
        return latency.p50_ms * (1 + bound.low), latency.p50_ms * (1 + bound.high)
    return latency.p50_ms, latency.p99_ms
