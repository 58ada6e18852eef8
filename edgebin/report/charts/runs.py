"""Several runs beside each other: how many times faster than its reference the first bundle of each is."""

from __future__ import annotations

from collections.abc import Sequence

from edgebin.profile.record import RunRecord
from edgebin.report.cells import speedup_cell
from edgebin.report.charts.drawing import Drawing
from edgebin.report.charts.marks import Mark
from edgebin.report.charts.rows import Rows
from edgebin.report.charts.scale import scale
from edgebin.report.tables import machine, ours


def runs_chart(records: Sequence[RunRecord], width: float) -> Drawing:
    """A row for each run, all with a speedup: filled dots with their interval if measured, hollow ones if estimated."""
    found = [(record, ours(record)) for record in records]
    rows = Rows(width, len(found), labels=300.0, figures=190.0)
    names = [_name(record, [other for other, _ in found]) for record, _ in found]
    figures = [speedup_cell(v.speedup, v.latency.kind) for _, v in found]
    drawing = Drawing(
        width,
        rows.height,
        "Times faster than the reference, all runs",
        "\n".join(f"{name}: {figure}." for name, figure in zip(names, figures, strict=True)),
    )
    ends = [value for _, v in found if v.speedup for value in (v.speedup.of_medians, v.speedup.ci95_high or 0.0, 1.0)]
    axis = scale(ends, rows.begin + 6, rows.end)
    rows.axis(drawing, axis, "×")
    for number, ((_, variant), name, figure) in enumerate(zip(found, names, figures, strict=True)):
        speedup, y = variant.speedup, rows.middle(number)
        assert speedup is not None
        rows.label(drawing, number, name, figure)
        x = axis(speedup.of_medians)
        drawing.line((axis(0), y), (x, y), "stem")
        if speedup.ci95_low is not None and speedup.ci95_high is not None:
            drawing.line((axis.clamped(speedup.ci95_low), y), (axis.clamped(speedup.ci95_high), y), "whisker")
        Mark(0).draw(drawing, x, y, variant.latency.kind, 6)
    return drawing


def _name(record: RunRecord, all_: Sequence[RunRecord]) -> str:
    """The machine; with the bundle where a machine has several runs."""
    named = machine(record)
    if sum(machine(other) == named for other in all_) > 1:
        named = f"{named}, {record.bundles[0].name}"
    return named if record.validity.ok else f"✕ {named}"  # in front: the end of a name may be cut off
