"""Whether a run drifted: the median of each round against that of all rounds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from edgebin.profile.record import RunRecord
from edgebin.report.charts.drawing import Drawing, fitting
from edgebin.report.charts.marks import marks
from edgebin.report.charts.scale import Scale
from edgebin.report.timings import Timings

_HEAD, _PLOT, _GAP, _AXIS = 22.0, 44.0, 12.0, 26.0
_LEAST_REACH = 0.02
_MOST_POINTS = 400


def drift_chart(record: RunRecord, timings: Sequence[Timings], width: float) -> Drawing:
    """A strip for each, all on the same two axes. Upwards they reach to ±2 %, or as far as the medians go."""
    strips = {t.variant: _relative(t) for t in timings}
    reach = max(_LEAST_REACH, *(abs(value) for strip in strips.values() for value in strip))
    most = max(len(strip) for strip in strips.values())
    pitch = _HEAD + _PLOT + _GAP
    height = len(strips) * pitch - _GAP + _AXIS
    drawing = Drawing(
        width,
        height,
        f"Medians of the rounds, {record.device.name}",
        "\n".join(
            f"{name}: {len(strip)} rounds, from {100 * min(strip):+.1f} % to {100 * max(strip):+.1f} % of the median."
            for name, strip in strips.items()
        ),
    )
    right = width - 52.0
    across = Scale(0, max(1, most - 1), 6, right - 6)
    for number, (name, strip) in enumerate(strips.items()):
        top = number * pitch + _HEAD
        up = Scale(-reach, reach, top + _PLOT, top)
        mark = marks(record)[name]
        mark.draw(drawing, 6, top - 13, "measured")
        drawing.text(18, top - 8.5, fitting(name, right - 30, 13), "name")
        for value in (-reach, 0.0, reach):
            drawing.line((0, up(value)), (right, up(value)), "base" if value == 0 else "grid")
        ends = f"{100 * reach:.{0 if reach >= 0.1 else 1}f} %"
        drawing.text(width, up(reach) + 8.0, f"+{ends}", "tick", anchor="end")
        drawing.text(width, up(-reach), f"−{ends}", "tick", anchor="end")
        every = -(-len(strip) // _MOST_POINTS)
        points = [(across(i), up(value)) for i, value in enumerate(strip)][::every]
        drawing.polyline(points, f"{mark.colour} line")
        if len(points) <= 60:
            for x, y in points:
                mark.draw(drawing, x, y, "measured", 2.6)
    drawing.text(0, height - 6, "round 1", "tick")
    drawing.text(right, height - 6, f"round {most}", "tick", anchor="end")
    return drawing


def _relative(t: Timings) -> list[float]:
    middle = max(median(t.all_ms), 1e-12)
    return [median(block) / middle - 1 for block in t.rounds]
