"""Energy of an inference: what was drawn above idle, and the idle power that came with it."""

from __future__ import annotations

from edgebin.profile.quantities import EstimatedEnergy, MeasuredEnergy
from edgebin.profile.record import RunRecord
from edgebin.report.cells import total_energy_cell
from edgebin.report.charts.drawing import Drawing
from edgebin.report.charts.marks import marks
from edgebin.report.charts.rows import Rows
from edgebin.report.charts.scale import scale

_HALF = 8.0


def energy_chart(record: RunRecord, threads: int, width: float) -> Drawing:
    """A bar for each variant with so many threads, or a hollow one over the range of an estimate."""
    found = [(v, v.energy) for v in record.variants if v.threads == threads and v.energy is not None]
    found.sort(key=lambda pair: -_ends(pair[1])[1])
    rows = Rows(width, len(found), figures=190.0)
    estimated = all(isinstance(energy, EstimatedEnergy) for _, energy in found)
    drawing = Drawing(
        width,
        rows.height,
        f"{'Estimated energy' if estimated else 'Energy'} of one inference, {record.device.name}",
        "\n".join(f"{v.name}: {total_energy_cell(energy)} in all{_dynamic(energy)}." for v, energy in found),
    )
    factor, unit = (1.0, "J") if max(_ends(energy)[1] for _, energy in found) >= 0.1 else (1e3, "mJ")
    axis = scale([factor * end for _, energy in found for end in _ends(energy)], rows.begin, rows.end)
    rows.axis(drawing, axis, unit)
    for number, (variant, energy) in enumerate(found):
        mark, y = marks(record)[variant.name], rows.middle(number)
        mark.draw(drawing, 6, y if not rows.narrow else y - 21.5, energy.kind)
        rows.label(drawing, number, variant.name, total_energy_cell(energy), indent=18)
        if isinstance(energy, EstimatedEnergy):
            low, high = (axis(factor * end) for end in _ends(energy))
            drawing.rectangle(low, y - _HALF, max(2.0, high - low), 2 * _HALF, f"{mark.colour} estimate")
            continue
        total = axis.clamped(factor * energy.total_j_per_inference)
        dynamic = axis.clamped(factor * (energy.dynamic_j_per_inference or 0.0))
        drawing.rectangle(axis(0), y - _HALF, total - axis(0), 2 * _HALF, f"{mark.colour} pale")
        drawing.rectangle(axis(0), y - _HALF, dynamic - axis(0), 2 * _HALF, f"{mark.colour} solid")
        low, high = (axis.clamped(factor * end) for end in energy.total_ci95_j)
        drawing.line((low, y), (high, y), "whisker")
        for x in (low, high):
            drawing.line((x, y - 4), (x, y + 4), "whisker")
    return drawing


def energy_caption(record: RunRecord) -> str:
    """What the chart shows."""
    energies = [variant.energy for variant in record.variants if variant.energy is not None]
    if all(isinstance(energy, EstimatedEnergy) for energy in energies):
        return "Hollow bars reach from the lower to the upper end of the estimate. Nothing was measured."
    return (
        "The full part is what was drawn above idle, the pale part idle power; the line is the total's 95 % interval."
    )


def _ends(energy: MeasuredEnergy | EstimatedEnergy) -> tuple[float, float]:
    if isinstance(energy, EstimatedEnergy):
        return energy.total_low_j_per_inference, energy.total_high_j_per_inference
    return energy.total_j_per_inference, max(energy.total_j_per_inference, energy.total_ci95_j[1])


def _dynamic(energy: MeasuredEnergy | EstimatedEnergy) -> str:
    if isinstance(energy, EstimatedEnergy) or energy.dynamic_j_per_inference is None:
        return ""
    return f", {energy.dynamic_j_per_inference:.3g} J of it above idle"
