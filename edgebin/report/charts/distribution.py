"""How single inferences spread: a histogram for each variant, all against their own median on one axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgebin.profile.record import RunRecord
from edgebin.profile.statistics import summarize
from edgebin.report.cells import digits
from edgebin.report.charts.drawing import SMALL, Drawing, fitting, text_width
from edgebin.report.charts.marks import marks
from edgebin.report.charts.scale import Scale, labelled
from edgebin.report.timings import Timings

_HEAD, _PLOT, _GAP = 24.0, 58.0, 18.0
_BINS = 90
_AXIS = 40.0
PERCENTILES = (("p50", 50, "p50"), ("p90", 90, "p90"), ("p99", 99, "p99"))


def distribution_chart(record: RunRecord, timings: Sequence[Timings], width: float) -> Drawing:
    """One panel for each; what lies beyond the axis is counted at its end."""
    relative = [np.asarray(t.all_ms) / max(float(np.median(t.all_ms)), 1e-12) - 1 for t in timings]
    # As far as the percentiles of all reach, and a little on: single stragglers must not squeeze everything else.
    low = min(float(np.percentile(values, 0.5)) for values in relative)
    high = max(float(np.percentile(values, 99.3)) for values in relative)
    reach = max(high - low, 0.01)
    axis = Scale(low - 0.08 * reach, high + 0.12 * reach, 2.0, width - 2.0)
    narrow = width < 500
    head = _HEAD * (2 if narrow else 1)
    pitch = head + _PLOT + _GAP
    drawing = Drawing(
        width,
        len(timings) * pitch + _AXIS - _GAP,
        f"Spread of single inferences, {record.device.name}",
        "\n".join(f"{t.variant}: {_figures(t)}." for t in timings),
    )
    bottom = len(timings) * pitch - _GAP
    found = labelled(100 * axis.low, 100 * axis.high, 4 if narrow else 8)
    for number, (t, values) in enumerate(zip(timings, relative, strict=True)):
        top = number * pitch
        _head(drawing, record, t, top, narrow)
        base = top + head + _PLOT
        for percent, _ in found:
            drawing.line((axis(percent / 100), top + head), (axis(percent / 100), base), "grid")
        _histogram(drawing, values, axis, top + head, marks(record)[t.variant].colour)
        drawing.line((axis.begin, base), (axis.end, base), "base")
        for _, percent, class_ in PERCENTILES:
            x = axis.clamped(float(np.percentile(values, percent)))
            drawing.line((x, top + head - 3), (x, base), class_)
        _beyond(drawing, values, axis, top + head)
    for percent, text in found:
        x = axis(percent / 100)
        sign = "+" if percent > 0 else ""
        shown = "median" if text == "0" else f"{sign}{text.replace('-', '−')} %"
        half = text_width(shown) / 2
        drawing.text(min(max(x, half), width - half), bottom + 18, shown, "tick", anchor="middle")
    return drawing


def _head(drawing: Drawing, record: RunRecord, t: Timings, top: float, narrow: bool) -> None:
    mark = marks(record)[t.variant]
    mark.draw(drawing, 6, top + 9, "measured")
    summary = summarize(t.all_ms)
    drawing.text(18, top + 13.5, fitting(t.variant, drawing.width * 0.5, 13), "name")
    drawing.text(drawing.width, top + 13.5, f"{summary.count} inferences", "tick", anchor="end")
    x, y = (18.0, top + 35) if narrow else (min(drawing.width * 0.32, 260.0), top + 13.5)
    step = (drawing.width - x) / 3 if narrow else 122.0
    for (name, _, class_), ms in zip(PERCENTILES, (summary.p50, summary.p90, summary.p99), strict=True):
        drawing.line((x, y - 11), (x, y + 2), class_)
        drawing.text(x + 7, y, f"{name} {digits(ms)} ms", "tick")
        x += step


def _histogram(drawing: Drawing, values: np.typing.NDArray[np.float64], axis: Scale, top: float, colour: str) -> None:
    bins = _BINS if drawing.width > 500 else _BINS // 2
    inside = np.clip(values, axis.low, axis.high)
    counts, edges = np.histogram(inside, bins=bins, range=(axis.low, axis.high))
    base = top + _PLOT
    step = (axis.end - axis.begin) / bins
    tallest = max(1, int(counts.max()))
    outline = []
    for count, edge in zip(counts, edges, strict=False):
        if count:
            height = max(1.0, count / tallest * (_PLOT - 4))
            outline.append(f"M{axis(edge) + 0.4:.1f},{base:.1f}v{-height:.1f}h{step - 0.8:.1f}v{height:.1f}Z")
    drawing.path("".join(outline), f"{colour} solid")


def _beyond(drawing: Drawing, values: np.typing.NDArray[np.float64], axis: Scale, top: float) -> None:
    """Says how many lie beyond the axis, which are drawn at its end."""
    beyond = int((values > axis.high).sum())
    if beyond:
        text = f"{beyond} beyond: up to +{100 * float(values.max()):.0f} %"
        if text_width(text, SMALL) < (axis.end - axis.begin) / 2:
            drawing.text(axis.end - 2, top + 12, text, "tick halo", anchor="end")


def _figures(t: Timings) -> str:
    summary = summarize(t.all_ms)
    return (
        f"p50 {digits(summary.p50)} ms, p90 {digits(summary.p90)} ms, p99 {digits(summary.p99)} ms, "
        f"{digits(summary.minimum)} to {digits(max(t.all_ms))} ms, {summary.count} inferences"
    )
