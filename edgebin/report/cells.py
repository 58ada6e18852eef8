"""Single figures as text. An estimate never looks like a measurement: it starts with `~` and says `est.`."""

from __future__ import annotations

from edgebin.profile.quantities import Energy, EstimatedEnergy, EstimatedLatency, Latency, MeasuredLatency, Speedup

NOTHING = "–"


def latency_cell(latency: Latency) -> str:
    """`12.3 ± 0.1 ms`, or `~12.3 ms (est. −24…+18 %)`."""
    if isinstance(latency, EstimatedLatency):
        return f"~{digits(latency.p50_ms)} ms (est. {bound_text(latency)})"
    return f"{digits(latency.p50_ms)} ± {digits(latency.stdev_ms)} ms"


def median_cell(latency: Latency) -> str:
    """`12.3 ms [12.2, 12.4]`, or as `latency_cell` for an estimate and where there is no interval of the median."""
    if isinstance(latency, EstimatedLatency) or latency.p50_ci95_ms is None:
        return latency_cell(latency)
    low, high = latency.p50_ci95_ms
    return f"{digits(latency.p50_ms)} ms [{digits(low)}, {digits(high)}]"


def bound_text(latency: EstimatedLatency) -> str:
    """`−24…+18 %`."""
    bound = latency.error_bound
    return f"−{abs(bound.low) * 100:.0f}…+{bound.high * 100:.0f} %"


def p99_cell(latency: Latency) -> str:
    """`12.9 ms`; an estimate has no percentiles."""
    return f"{digits(latency.p99_ms)} ms" if isinstance(latency, MeasuredLatency) else NOTHING


def speedup_cell(speedup: Speedup | None, kind: str) -> str:
    """`3.74× [3.70, 3.79]`, or `~3.7× (est.)`."""
    if speedup is None:
        return NOTHING
    if kind == "estimate":
        return f"~{digits(speedup.of_medians)}× (est.)"
    text = f"{speedup.of_medians:.2f}×"
    if speedup.ci95_low is None or speedup.ci95_high is None or speedup.ci95_low == speedup.ci95_high:
        return text
    return f"{text} [{speedup.ci95_low:.2f}, {speedup.ci95_high:.2f}]"


def total_energy_cell(energy: Energy | None) -> str:
    """`0.712 J [0.708, 0.716]`, `~0.21–0.34 J (est.)`: all that was drawn during an inference."""
    if energy is None:
        return NOTHING
    if isinstance(energy, EstimatedEnergy):
        return f"~{_range(energy.total_low_j_per_inference, energy.total_high_j_per_inference)} (est.)"
    return _joules(energy.total_j_per_inference, energy.total_ci95_j)


def dynamic_energy_cell(energy: Energy | None) -> str:
    """`0.512 J [0.508, 0.516]`: what was drawn above idle. An estimate knows the total only."""
    if energy is None or isinstance(energy, EstimatedEnergy) or energy.dynamic_j_per_inference is None:
        return NOTHING
    return _joules(energy.dynamic_j_per_inference, energy.dynamic_ci95_j)


def watts_cell(watts: float | None) -> str:
    """`3.14 W`."""
    return NOTHING if watts is None else f"{digits(watts)} W"


def mean_power_cell(energy: Energy | None) -> str:
    """`3.14 W`, or `~2.3–3.4 W (est.)`."""
    if isinstance(energy, EstimatedEnergy):
        return f"~{digits(energy.mean_low_w)}–{digits(energy.mean_high_w)} W (est.)"
    return watts_cell(energy.mean_w if energy else None)


def bytes_cell(bytes_: int | None) -> str:
    """`1.23 MB` (10⁶ bytes), or `456 kB`."""
    if bytes_ is None:
        return NOTHING
    if bytes_ < 1_000_000:
        return f"{bytes_ / 1e3:.0f} kB"
    return f"{digits(bytes_ / 1e6)} MB"


def split_interval(cell: str) -> tuple[str, str]:
    """`3.74× [3.70, 3.79]` as its value and its interval; the mark of an estimate goes with the latter."""
    value, found, rest = cell.partition(" ± ")
    if found:
        return f"{value} {rest.rpartition(' ')[2]}", f"± {rest}"
    for opening in (" [", " ("):
        value, found, rest = cell.partition(opening)
        if found:
            return value, (found + rest).strip()
    return cell, ""


def layer_latency_cell(latency_ms: float, kind: str) -> str:
    """`0.123 ms`, or `~0.123 ms (est.)`."""
    text = f"{latency_ms:.3f} ms"
    return f"~{text} (est.)" if kind == "estimate" else text


def digits(value: float) -> str:
    """Three significant digits without an exponent."""
    if value == 0:
        return "0"
    for limit, decimals in ((0.001, 6), (0.01, 5), (0.1, 4), (1, 3), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"


def _joules(value: float, interval: tuple[float, float] | None) -> str:
    factor, unit = _joule_unit(value)
    text = f"{digits(value * factor)} {unit}"
    if interval is None or interval[0] == interval[1]:
        return text
    return f"{text} [{digits(interval[0] * factor)}, {digits(interval[1] * factor)}]"


def _range(low: float, high: float) -> str:
    factor, unit = _joule_unit(high)
    return f"{_two(low * factor)}–{_two(high * factor)} {unit}"


def _joule_unit(value: float) -> tuple[float, str]:
    """Millijoules below a tenth of a joule."""
    return (1.0, "J") if abs(value) >= 0.1 else (1e3, "mJ")


def _two(value: float) -> str:
    """Two significant digits: an estimate knows no more."""
    if 1 <= abs(value) < 10:
        return f"{value:.1f}"
    return f"{float(f'{value:.2g}'):f}".rstrip("0").rstrip(".") if value else "0"
