"""What the page shows of one run: its texts, tables and charts, for the template."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from markupsafe import Markup

from edgebin.profile.quantities import EstimatedEnergy, MeasuredEnergy, MeasuredLatency
from edgebin.profile.record import Layer, RunRecord, Variant
from edgebin.profile.validity import flag_of
from edgebin.report.cells import (
    NOTHING,
    bytes_cell,
    digits,
    layer_latency_cell,
    mean_power_cell,
    median_cell,
    p99_cell,
    split_interval,
    watts_cell,
)
from edgebin.report.charts.distribution import distribution_chart
from edgebin.report.charts.drawing import Drawing
from edgebin.report.charts.drift import drift_chart
from edgebin.report.charts.energy import energy_caption, energy_chart
from edgebin.report.charts.latency import latency_caption, latency_chart
from edgebin.report.charts.layers import arithmetic, layers_chart, shares_chart, totals_chart
from edgebin.report.charts.marks import marks
from edgebin.report.charts.power import power_chart
from edgebin.report.charts.threads import gain, latency_over_threads, speedup_over_threads, sweeps
from edgebin.report.environment import command, environment_rows
from edgebin.report.explanations import TRUST, energy_explanations, latency_explanations, remarks
from edgebin.report.headline import energy_sentence, headline, key_figures
from edgebin.report.run import Run
from edgebin.report.tables import Table, machine, ordered_variants, ours, variants_table
from edgebin.report.text import name_of
from edgebin.report.timings import Timings

# Pixels of a column on a desktop, and of one on a phone: text in charts has its size on both.
_WIDE, _NARROW = 900.0, 350.0
_HALF = 440.0
_TOP_FUNCTIONS = 12


@dataclass(frozen=True)
class Chart:
    """One drawing for wide screens and one for phones, of which the page shows one."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class Functions:
    """Where one variant spends its time."""

    title: str
    charts: tuple[Chart, ...]
    table: Table


class Charts:
    """Draws for both widths; drawings of a page have numbers, by which their names are found."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, draw: Callable[[float], Drawing], wide: float = _WIDE) -> Chart:
        return Chart(*(draw(width).markup(f"chart{next(self._numbers)}") for width in (wide, _NARROW)))


def run_view(number: int, run: Run, charts: Charts) -> dict[str, Any]:
    """What the template shows of a run."""
    record = run.record
    threads = ours(record).threads
    timings = _shown(run, threads)
    scaling = sweeps(record)
    energies = [v.energy for v in record.variants if v.energy is not None and v.threads == threads]
    sweep = (
        [
            charts(partial(latency_over_threads, record), _HALF),
            charts(partial(speedup_over_threads, record), _HALF),
        ]
        if scaling
        else []
    )
    return {
        "id": f"run-{number}",
        "record": record,
        "machine": machine(record),
        "shown_threads": threads if len(record.protocol.threads) > 1 else None,
        "first_threads": f"{record.protocol.threads[0]} thread{'s' if record.protocol.threads[0] > 1 else ''}",
        "estimate": record.kind == "estimate",
        "headline": headline(record),
        "energy_sentence": energy_sentence(record),
        "figures": key_figures(record),
        "reasons": _reasons(record.validity.flags),
        "variants": _variants(record),
        "columns": variants_table(record).columns,
        "latency": charts(partial(latency_chart, record, threads)),
        "latency_caption": latency_caption(record),
        "distribution": charts(partial(distribution_chart, record, timings)) if timings else None,
        "drift": charts(partial(drift_chart, record, timings)) if timings else None,
        "percentiles": _percentiles(record),
        "totals": charts(partial(totals_chart, _layers(record))) if len(_layers(record)) > 1 else None,
        "functions": list(_functions(record, charts)),
        "traces": [charts(partial(power_chart, record, trace)) for trace in run.traces],
        "sweep": sweep,
        "scaling": _scaling(scaling),
        "energy": charts(partial(energy_chart, record, threads)) if energies else None,
        "energy_caption": energy_caption(record) if energies else "",
        "energy_table": _energy(record),
        "energy_estimated": any(isinstance(energy, EstimatedEnergy) for energy in energies),
        "trust": _trust(record),
        "environment": environment_rows(record.environment) if record.environment else (),
        "tuning": [[item.get(key, "") for key in ("what", "before", "after")] for item in _tuning(record)],
        "how": [*latency_explanations(record)],
        "energy_how": [*energy_explanations(record)],
        "remarks": [*remarks(record)],
        "command": command(record),
        "sizes": [bytes_cell(bundle.bytes_) for bundle in record.bundles],
    }


def _shown(run: Run, threads: int) -> list[Timings]:
    """The timings with so many threads, in the order of the tables."""
    found = {(t.variant, t.threads): t for t in run.timings if all(t.rounds)}
    variants = [variant for variant in ordered_variants(run.record) if variant.threads == threads]
    return [found[v.name, threads] for v in variants if (v.name, threads) in found]


def _reasons(flags: Sequence[str]) -> list[tuple[str, str, str]]:
    """Each kind of flag once, with what it is about: what it means, and what to do."""
    about: dict[str, list[str]] = {}
    for flag in flags:
        kind, _, subject = flag.partition(":")
        about.setdefault(kind, []).extend([subject] if subject else [])
    return [
        (
            f"{kind}: {', '.join(subjects)}" if subjects else kind,
            _sentence(flag_of(kind).meaning),
            _sentence(flag_of(kind).action),
        )
        for kind, subjects in about.items()
    ]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _trust(record: RunRecord) -> str:
    """The trust class of the energies; nothing where there are none."""
    if record.power is not None:
        return f"Trust class {record.power.trust}: {TRUST[record.power.trust]}."
    return f"Trust class E: {TRUST['E']}." if any(variant.energy for variant in record.variants) else ""


def _tuning(record: RunRecord) -> tuple[dict[str, str], ...]:
    return record.environment.tuning if record.environment else ()


def _variants(record: RunRecord) -> list[dict[str, Any]]:
    """The rows of the headline table: cells as a figure and, smaller, its interval."""
    rows = []
    first, threads = ours(record).name, ours(record).threads
    named: set[str] = set()
    pairs = zip(ordered_variants(record), variants_table(record).rows, strict=True)
    for variant, row in sorted(pairs, key=lambda pair: pair[0].threads != threads):
        cells = [split_interval(cell) for cell in row[1:]]
        position = variants_table(record).columns.index("p50") - 1
        cells[position] = split_interval(median_cell(variant.latency))
        rows.append(
            {
                "name": name_of(variant.name),
                "engine": "" if variant.name in named else name_of(variant.engine),
                "shown": variant.threads == threads,
                "mark": _mark(record, variant),
                "ours": variant.name == first,
                "cells": cells,
            }
        )
        named.add(variant.name)
    return rows


def _mark(record: RunRecord, variant: Variant) -> Markup:
    drawing = Drawing(14, 14, "", "")
    marks(record)[variant.name].draw(drawing, 7, 7, variant.latency.kind, 5)
    return drawing.ornament()


def _percentiles(record: RunRecord) -> Table | None:
    """What the chart of the distribution shows, in figures; None for estimates."""
    rows = [
        (
            variant.name,
            str(variant.threads),
            digits(variant.latency.min_ms),
            *(_percentile(variant.latency, name) for name in ("p50", "p90", "p99")),
            digits(variant.latency.mean_ms),
            digits(variant.latency.stdev_ms),
            str(variant.latency.runs),
        )
        for variant in ordered_variants(record)
        if isinstance(variant.latency, MeasuredLatency)
    ]
    columns = ("variant", "threads", "min", "p50", "p90", "p99", "mean", "st. dev.", "runs")
    return Table("Latency in ms, percentiles with their 95 % intervals", columns, tuple(rows)) if rows else None


def _percentile(latency: MeasuredLatency, name: str) -> str:
    interval = getattr(latency, f"{name}_ci95_ms")
    value = digits(getattr(latency, f"{name}_ms"))
    return value if interval is None else f"{value} [{digits(interval[0])}, {digits(interval[1])}]"


def _layers(record: RunRecord) -> dict[str, list[Layer]]:
    """The functions of each variant that has any, bundles first."""
    names = dict.fromkeys([*(bundle.variant for bundle in record.bundles), *(layer.bundle for layer in record.layers)])
    found = {name: [layer for layer in record.layers if layer.bundle == name] for name in names}
    return {name: layers for name, layers in found.items() if layers}


def _functions(record: RunRecord, charts: Charts) -> Iterator[Functions]:
    for name, layers in _layers(record).items():
        rows = [
            (
                name_of(layer.name),
                name_of(" ".join(filter(None, (layer.op, layer.variant)))) or NOTHING,
                arithmetic(layer.op),
                str(layer.calls),
                layer_latency_cell(layer.latency_ms, layer.kind),
                f"{layer.share * 100:.1f} %",
            )
            for layer in layers[:_TOP_FUNCTIONS]
        ]
        drawn = (
            charts(partial(shares_chart, name, layers)),
            charts(partial(layers_chart, name, layers)),
        )
        title = f"The {len(rows)} longest of {len(layers)} functions, {name}"
        columns = ("function", "kernel", "arithmetic", "calls", "time", "share")
        yield Functions(name, drawn, Table(title, columns, tuple(rows)))


def _scaling(scaling: dict[str, tuple[Variant, ...]]) -> Table:
    rows = []
    for name, line in scaling.items():
        for variant, (threads, times) in zip(line, gain(line), strict=True):
            mark = "~" if variant.latency.kind == "estimate" else ""
            shown = f"{mark}{digits(variant.latency.p50_ms)} ms"
            rows.append((name, str(threads), shown, p99_cell(variant.latency), f"{times:.2f}×"))
    return Table("Thread scaling", ("variant", "threads", "p50", "p99", "gain"), tuple(rows))


def _energy(record: RunRecord) -> Table | None:
    found = variants_table(record)
    if not any(variant.energy for variant in record.variants):
        return None
    rows = []
    for variant, row in zip(ordered_variants(record), found.rows, strict=True):
        cells = dict(zip(found.columns, row, strict=True))
        energy = variant.energy
        measured = energy if isinstance(energy, MeasuredEnergy) else None
        rows.append(
            (
                variant.name,
                str(variant.threads),
                cells["energy, total"],
                cells["energy, dynamic"],
                mean_power_cell(energy),
                watts_cell(measured.peak_w if measured else None),
                f"{measured.windows} × {measured.inferences // max(1, measured.windows)}" if measured else NOTHING,
            )
        )
    columns = ("variant", "threads", "total", "dynamic", "mean power", "peak power", "windows × inferences")
    return Table("Energy of one inference", columns, tuple(rows))
