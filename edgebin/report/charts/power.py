"""Power over time: what was sampled, with the windows that were integrated and the stretches of idling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import fmean, median

from edgebin.profile.record import RunRecord
from edgebin.report.cells import digits
from edgebin.report.charts.drawing import Drawing, Point, fitting, text_width
from edgebin.report.charts.marks import Mark, marks
from edgebin.report.charts.scale import Scale, labelled, scale
from edgebin.report.trace import Stretch, Trace

_PLOT, _AXIS, _STRIP, _LEGEND = 200.0, 40.0, 22.0, 22.0
_PIXELS_PER_BIN = 1.5
# A pause this many times longer than between samples is a gap: nothing is known of it.
_GAP = 6.0


def power_chart(record: RunRecord, trace: Trace, width: float) -> Drawing:
    """The mean of the samples behind each pixel as a line, from the least to the largest as a band."""
    names = list(dict.fromkeys(s.variant for s in trace.stretches if s.variant is not None))
    found = marks(record)
    legend = _legend_lines(names, width)
    top = legend * _LEGEND + _STRIP + 6
    drawing = Drawing(
        width,
        top + _PLOT + _AXIS,
        f"Power over time, {record.device.name}, {trace.threads} thread{'s' if trace.threads > 1 else ''}",
        _description(trace),
    )
    left, right = 36.0, width - 4
    across = scale([s.end_s for s in trace.stretches] + [trace.samples[-1][0]], left, right)
    up = scale([watts for _, watts in trace.samples], top + _PLOT, top)
    _legend(drawing, names, found)
    for stretch in trace.stretches:
        _shade(drawing, stretch, across, (top - _STRIP, top, top + _PLOT), found)
    for value, text in labelled(up.low, up.high, 5):
        y = up(value)
        drawing.line((left, y), (right, y), "base" if value == 0 else "grid")
        drawing.text(left - 6, y + 4, text, "tick", anchor="end")
    drawing.text(0, top - 8, "W", "tick")
    for run in _bins(trace, across):
        drawing.area([(b.x, up(b.high)) for b in run], [(b.x, up(b.low)) for b in run], "envelope")
        drawing.polyline([(b.x, up(b.mean)) for b in run], "trace")
    _idle(drawing, record, trace, up, (left, right))
    ends = labelled(across.low, across.high, 4 if width < 500 else 8)
    for number, (value, text) in enumerate(ends):
        x, shown = across(value), f"{text} s" if number == len(ends) - 1 else text
        half = text_width(shown) / 2
        drawing.text(min(x, width - half), top + _PLOT + 18, shown, "tick", anchor="middle")
    return drawing


def _shade(
    drawing: Drawing, stretch: Stretch, across: Scale, rows: tuple[float, float, float], found: dict[str, Mark]
) -> None:
    strip, top, bottom = rows
    x = across.clamped(stretch.begin_s)
    wide = max(1.0, across.clamped(stretch.end_s) - x)
    if stretch.variant is None:
        drawing.rectangle(x, top, wide, bottom - top, "idle")
        if wide > text_width("idle"):
            drawing.text(x + wide / 2, top - 8, "idle", "tick", anchor="middle")
        return
    mark = found.get(stretch.variant, Mark(3))
    drawing.rectangle(x, top, wide, bottom - top, f"{mark.colour} window")
    drawing.rectangle(x, top - 3, wide, 3, f"{mark.colour} solid")
    if wide >= 10:
        mark.draw(drawing, x + wide / 2, strip + 9, "measured", 4)


def _idle(drawing: Drawing, record: RunRecord, trace: Trace, up: Scale, ends: tuple[float, float]) -> None:
    power = record.power
    idle = [w for w in (power.idle_before_w, power.idle_after_w) if w is not None] if power else []
    if idle and any(s.variant is None for s in trace.stretches):
        watts = sum(idle) / len(idle)
        y = up.clamped(watts)
        drawing.line((ends[0], y), (ends[1], y), "p90")
        drawing.text(ends[1] - 4, y + 16, f"idle {digits(watts)} W", "tick halo", anchor="end")


@dataclass(frozen=True)
class _Bin:
    """The samples behind one pixel or two."""

    x: float
    low: float
    mean: float
    high: float


def _bins(trace: Trace, across: Scale) -> list[list[_Bin]]:
    """Stretches of bins without a gap between their samples."""
    times = [t for t, _ in trace.samples]
    usual = median([b - a for a, b in pairwise(times)]) if len(times) > 1 else 0.0
    runs: list[list[list[tuple[float, float]]]] = []
    before = -inf
    for t, watts in trace.samples:
        x = across.clamped(t)
        if t - before > max(_GAP * usual, 0.05):
            runs.append([])
        before = t
        if not runs[-1] or x - runs[-1][-1][0][0] >= _PIXELS_PER_BIN:
            runs[-1].append([])
        runs[-1][-1].append((x, watts))
    return [[_bin(cell) for cell in run] for run in runs]


def _bin(cell: Sequence[tuple[float, float]]) -> _Bin:
    watts = [w for _, w in cell]
    return _Bin(fmean(x for x, _ in cell), min(watts), fmean(watts), max(watts))


def _legend_positions(names: Sequence[str], width: float) -> list[Point]:
    positions, x, line = [], 36.0, 0
    for name in names:
        wide = 24 + text_width(fitting(name, 150), 13)
        if x + wide > width and x > 36:
            x, line = 36.0, line + 1
        positions.append((x, 14 + line * _LEGEND))
        x += wide + 10
    return positions


def _legend_lines(names: Sequence[str], width: float) -> int:
    return round((_legend_positions(names, width)[-1][1] - 14) / _LEGEND) + 1 if names else 0


def _legend(drawing: Drawing, names: Sequence[str], found: dict[str, Mark]) -> None:
    for name, (x, y) in zip(names, _legend_positions(names, drawing.width), strict=True):
        found.get(name, Mark(3)).draw(drawing, x + 6, y - 4.5, "measured")
        drawing.text(x + 18, y, fitting(name, 150), "name")


def _description(trace: Trace) -> str:
    watts = [w for _, w in trace.samples]
    windows: dict[str, int] = {}
    for stretch in trace.stretches:
        windows[stretch.variant or "idle stretches"] = windows.get(stretch.variant or "idle stretches", 0) + 1
    return (
        f"{len(watts)} samples over {trace.samples[-1][0]:.0f} s, {digits(min(watts))} to {digits(max(watts))} W.\n"
        + "\n".join(f"{name}: {number}." for name, number in windows.items())
    )
