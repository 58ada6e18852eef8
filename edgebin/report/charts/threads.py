"""Thread scaling: the latency of each variant over threads, and how far more threads made it faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgebin.profile.record import RunRecord, Variant
from edgebin.report.cells import digits
from edgebin.report.charts.drawing import NORMAL, Drawing, fitting, text_width
from edgebin.report.charts.marks import marks
from edgebin.report.charts.scale import Scale, labelled, scale

_PLOT, _HEAD, _AXIS = 190.0, 28.0, 42.0
_LONGEST_NAME = 90.0
_LINE = 16.0

Lines = Mapping[str, Sequence[Variant]]


def sweeps(record: RunRecord) -> dict[str, tuple[Variant, ...]]:
    """The variants that ran with several numbers of threads, by name, fewest threads first."""
    names = dict.fromkeys(variant.name for variant in record.variants)
    found = {
        name: tuple(sorted((v for v in record.variants if v.name == name), key=lambda v: v.threads)) for name in names
    }
    return {name: line for name, line in found.items() if len({v.threads for v in line}) > 1}


def gain(line: Sequence[Variant]) -> list[tuple[int, float]]:
    """How many times faster than with the fewest threads."""
    return [(v.threads, line[0].latency.p50_ms / v.latency.p50_ms) for v in line]


def latency_over_threads(record: RunRecord, width: float) -> Drawing:
    """Medians in ms over threads; a vertical line goes on to p99."""
    lines = {name: [(v.threads, v.latency.p50_ms) for v in line] for name, line in sweeps(record).items()}
    texts = {name: ", ".join(f"{n} threads {digits(ms)} ms" for n, ms in line) for name, line in lines.items()}
    return _chart(record, lines, width, ("Latency over threads", "ms"), texts, ideal=False)


def speedup_over_threads(record: RunRecord, width: float) -> Drawing:
    """Times faster than with the fewest threads, with the line of ideal scaling."""
    lines = {name: gain(line) for name, line in sweeps(record).items()}
    texts = {name: ", ".join(f"{n} threads {value:.2f}×" for n, value in line) for name, line in lines.items()}
    return _chart(record, lines, width, ("Gain from more threads", "×"), texts, ideal=True)


def _chart(
    record: RunRecord,
    lines: Mapping[str, Sequence[tuple[int, float]]],
    width: float,
    title_and_unit: tuple[str, str],
    texts: Mapping[str, str],
    *,
    ideal: bool,
) -> Drawing:
    title, unit = title_and_unit
    description = "\n".join(f"{name}: {text}." for name, text in texts.items())
    drawing = Drawing(width, _HEAD + _PLOT + _AXIS, f"{title}, {record.device.name}", description)
    threads = sorted({n for line in lines.values() for n, _ in line})
    names = min(_LONGEST_NAME, max(text_width(name, NORMAL) for name in lines)) + 20
    left, right = 36.0, width - names
    across = scale([float(n) for n in threads], left + 12, right - 10, zero=False)
    most = max(value for line in lines.values() for _, value in line)
    # Where scaling is poor, all of the ideal would squeeze the lines together: it is cut off.
    high = min(max(1.0, threads[-1] / threads[0]), 2 * most) if ideal else most
    up = Scale(0.0, max(high, most) * 1.08, _HEAD + _PLOT, _HEAD)
    drawing.text(0, 14, title, "name")
    for value, text in labelled(up.low, up.high, 5):
        drawing.line((left, up(value)), (right, up(value)), "base" if value == 0 else "grid")
        drawing.text(left - 6, up(value) + 4, text, "tick", anchor="end")
    drawing.text(right, _HEAD - 8, unit, "tick", anchor="end")
    shown_after = -1e9
    for n in threads:
        if across(n) - shown_after > text_width("00") + 6:
            drawing.text(across(n), _HEAD + _PLOT + 18, str(n), "tick", anchor="middle")
            shown_after = across(n)
    drawing.text((left + right) / 2, _HEAD + _PLOT + 36, "threads", "tick", anchor="middle")
    labels: list[_Label] = []
    if ideal:
        end = min(float(threads[-1]), threads[0] * up.high)
        drawing.polyline([(across(n), up(n / threads[0])) for n in (float(threads[0]), end)], "ideal")
        labels.append(_Label(up(end / threads[0]), "ideal"))
    found = marks(record)
    kinds = {v.name: v.latency.kind for v in record.variants}
    for name, line in lines.items():
        mark = found[name]
        drawing.polyline([(across(n), up(value)) for n, value in line], f"{mark.colour} line d{mark.number % 4}")
        for n, value in line:
            mark.draw(drawing, across(n), up(value), kinds[name])
        labels.append(_Label(up(line[-1][1]), name))
    for label in _spread(labels, _HEAD + 4, _HEAD + _PLOT):
        if label.name in lines:
            found[label.name].draw(drawing, right + 10, label.y, kinds[label.name], 3.6)
        class_ = "name" if label.name in lines else "tick"
        drawing.text(right + 18, label.y + 4, fitting(label.name, names - 18, NORMAL), class_)
    return drawing


@dataclass(frozen=True)
class _Label:
    """A name beside the end of its line."""

    y: float
    name: str


def _spread(labels: Sequence[_Label], top: float, bottom: float) -> list[_Label]:
    """Moves labels apart so that none covers another, as little as that takes."""
    placed: list[_Label] = []
    for label in sorted(labels, key=lambda label: label.y):
        y = max(label.y, top if not placed else placed[-1].y + _LINE)
        placed.append(_Label(y, label.name))
    limit = bottom
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = _Label(min(placed[i].y, limit), placed[i].name)
        limit = placed[i].y - _LINE
    return placed
