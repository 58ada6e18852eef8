"""The result of a run in one sentence, and its key figures."""

from __future__ import annotations

from dataclasses import dataclass

from edgebin.profile.quantities import EstimatedEnergy, EstimatedLatency, Latency, MeasuredEnergy
from edgebin.profile.record import RunRecord, Variant
from edgebin.report.cells import (
    bound_text,
    bytes_cell,
    digits,
    dynamic_energy_cell,
    speedup_cell,
    split_interval,
    total_energy_cell,
)
from edgebin.report.tables import machine, ours, reference_of
from edgebin.report.text import name_of

# Keeps a figure and its unit on one line.
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Figure:
    """A key figure: what it is, its value, and below it the interval or what it is compared with."""

    name: str
    value: str
    below: str = ""
    estimate: bool = False


def headline(record: RunRecord) -> str:
    """`X runs 12.2× faster than fp32 on Y: 3.53 ms instead of 42.9 ms per inference (95 % interval …).`

    Figures that must not be trusted begin with that.
    """
    return _gain(record) if record.validity.ok else f"Not to be trusted: {_gain(record)}"


def _gain(record: RunRecord) -> str:
    variant = ours(record)
    reference = reference_of(record, variant)
    where = f"on {machine(record)}"
    threads = f" with {variant.threads} threads" if variant.threads > 1 else ""
    took, name = _ms(variant.latency), name_of(record.bundles[0].name)
    if reference is None or variant.speedup is None:
        return f"{name} takes {took} per inference {where}{threads}."
    times = variant.speedup.of_medians
    instead = f"{took} instead of {_ms(reference.latency)} per inference{threads}"
    if isinstance(variant.latency, EstimatedLatency):
        about = f"~{digits(max(times, 1 / times))}×"
        gained = f"{about} faster than" if times >= 1 else f"{about} slower than"
        bound = bound_text(variant.latency).replace(" ", _NARROW_SPACE)
        return f"{name} should run {gained} {reference.name} {where}: {instead} (estimate, {bound})."
    gained = f"runs {times:.2f}× faster than" if times >= 1 else f"takes {1 / times:.2f}× as long as"
    low, high = variant.speedup.ci95_low, variant.speedup.ci95_high
    if low is None or high is None or low <= 0:
        return f"{name} {gained} {reference.name} {where}: {instead}."
    ends = (low, high) if times >= 1 else (1 / high, 1 / low)
    interval = f"95{_NARROW_SPACE}% interval {ends[0]:.2f}× to {ends[1]:.2f}×"
    return f"{name} {gained} {reference.name} {where}: {instead} ({interval})."


def energy_sentence(record: RunRecord) -> str:
    """`It takes 0.19 J per inference, 3.7× less than fp32.`; nothing without energy of both."""
    variant = ours(record)
    reference = reference_of(record, variant)
    own = variant.energy
    theirs = reference.energy if reference else None
    if own is None:
        return ""
    if isinstance(own, EstimatedEnergy):
        return f"It should take {split_interval(total_energy_cell(own))[0]} per inference: an estimate."
    text = f"It takes {total_energy_cell(own).partition(' [')[0]} per inference"
    if reference is None or not isinstance(theirs, MeasuredEnergy) or own.total_j_per_inference <= 0:
        return f"{text}."
    ratio = theirs.total_j_per_inference / own.total_j_per_inference
    compared = f"{ratio:.2f}× less than" if ratio >= 1 else f"{1 / max(ratio, 1e-9):.2f}× as much as"
    return f"{text}, {compared} {reference.name}."


def key_figures(record: RunRecord) -> tuple[Figure, ...]:
    """What stands in large digits at the top."""
    variant = ours(record)
    reference = reference_of(record, variant)
    latency = variant.latency
    estimated = latency.kind == "estimate"
    found = [Figure("Median latency", _ms(latency), _spread(latency), estimated)]
    if variant.speedup and reference:
        value, _, interval = speedup_cell(variant.speedup, latency.kind).partition(" ")
        found.append(Figure(f"Faster than {reference.name}", value, interval.replace("(est.)", "estimate"), estimated))
    if variant.energy is not None:
        value, interval = split_interval(total_energy_cell(variant.energy))
        dynamic = dynamic_energy_cell(variant.energy)
        below = interval if dynamic == "–" else f"{split_interval(dynamic)[0]} above idle"
        below = below.replace("(est.)", "estimate")
        found.append(Figure("Energy per inference", value, below, variant.energy.kind == "estimate"))
    found.append(Figure("File", bytes_cell(variant.file_bytes), _against(reference, "file_bytes")))
    if variant.peak_rss_bytes is not None:
        found.append(Figure("Peak memory", bytes_cell(variant.peak_rss_bytes), _against(reference, "peak_rss_bytes")))
    return tuple(found)


def _ms(latency: Latency) -> str:
    return f"{'~' if latency.kind == 'estimate' else ''}{digits(latency.p50_ms)}{_NARROW_SPACE}ms"


def _spread(latency: Latency) -> str:
    if latency.kind == "estimate":
        return f"estimate, {bound_text(latency)}"
    if latency.p50_ci95_ms is not None:
        return f"[{digits(latency.p50_ci95_ms[0])}, {digits(latency.p50_ci95_ms[1])}]"
    return f"± {digits(latency.stdev_ms)} ms"


def _against(reference: Variant | None, name: str) -> str:
    value = getattr(reference, name, None)
    return f"{reference.name} {bytes_cell(value)}" if reference and value is not None else ""
