"""Single figures as text. An estimate never looks like a measurement: it starts with `~` and says `est.`."""

from __future__ import annotations

from edgebin.profile.quantities import EstimatedLatency, Latency, MeasuredLatency, Speedup

NOTHING = "–"


def latency_cell(latency: Latency) -> str:
    """`12.3 ± 0.1 ms`, or `~12.3 ms (est. −24…+18 %)`."""
    if isinstance(latency, EstimatedLatency):
        return f"~{_digits(latency.p50_ms)} ms (est. {bound_text(latency)})"
    return f"{_digits(latency.p50_ms)} ± {_digits(latency.stdev_ms)} ms"


def bound_text(latency: EstimatedLatency) -> str:
    """`−24…+18 %`."""
    bound = latency.error_bound
    return f"−{abs(bound.low) * 100:.0f}…+{bound.high * 100:.0f} %"


def p99_cell(latency: Latency) -> str:
    """`12.9 ms`; an estimate has no percentiles."""
    return f"{_digits(latency.p99_ms)} ms" if isinstance(latency, MeasuredLatency) else NOTHING


def speedup_cell(speedup: Speedup | None, kind: str) -> str:
    """`3.74× [3.70, 3.79]`, or `~3.7× (est.)`."""
    if speedup is None:
        return NOTHING
    if kind == "estimate":
        return f"~{_digits(speedup.of_medians)}× (est.)"
    text = f"{speedup.of_medians:.2f}×"
    if speedup.ci95_low is None or speedup.ci95_high is None or speedup.ci95_low == speedup.ci95_high:
        return text
    return f"{text} [{speedup.ci95_low:.2f}, {speedup.ci95_high:.2f}]"


def bytes_cell(bytes_: int | None) -> str:
    """`1.23 MB` (10⁶ bytes), or `456 kB`."""
    if bytes_ is None:
        return NOTHING
    if bytes_ < 1_000_000:
        return f"{bytes_ / 1e3:.0f} kB"
    return f"{_digits(bytes_ / 1e6)} MB"


def layer_latency_cell(latency_ms: float, kind: str) -> str:
    """`0.123 ms`, or `~0.123 ms (est.)`."""
    text = f"{latency_ms:.3f} ms"
    return f"~{text} (est.)" if kind == "estimate" else text


def _digits(value: float) -> str:
    """Three significant digits without an exponent."""
    if value == 0:
        return "0"
    for limit, decimals in ((0.1, 4), (1, 3), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"
