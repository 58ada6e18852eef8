"""The tables of a profile, made once; every form of output shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgebin.profile.record import Layer, RunRecord, Variant
from edgebin.report.cells import (
    NOTHING,
    bytes_cell,
    dynamic_energy_cell,
    latency_cell,
    layer_latency_cell,
    p99_cell,
    speedup_cell,
    total_energy_cell,
)
from edgebin.report.text import name_of


@dataclass(frozen=True)
class Table:
    """Cells as text. The first column is left-aligned, the others are figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def ours(record: RunRecord) -> Variant:
    """What a report is about: the first bundle, with the number of threads that was quickest."""
    name = record.bundles[0].variant
    own = [variant for variant in record.variants if variant.name == name] or list(record.variants)
    return min(own, key=lambda variant: variant.latency.p50_ms)


def reference_of(record: RunRecord, variant: Variant) -> Variant | None:
    """The variant that this one's speedup is against, with as many threads; None where it is that one itself."""
    if variant.speedup is None or variant.name == record.reference:
        return None
    return record.variant(record.reference, variant.threads)


def machine(record: RunRecord) -> str:
    """What the user calls the machine, and what it is."""
    device = record.device
    return f"{name_of(device.host)} ({name_of(device.name)})" if device.host else name_of(device.name)


def ordered_variants(record: RunRecord) -> tuple[Variant, ...]:
    """In the order of the tables: by threads, then slowest first."""
    return tuple(sorted(record.variants, key=lambda variant: (variant.threads, -variant.latency.p50_ms)))


def engines_apart(record: RunRecord) -> bool:
    """Whether the table of variants has no room for their engines."""
    return len({v.threads for v in record.variants}) > 1 or any(v.energy for v in record.variants)


def variants_table(record: RunRecord) -> Table:
    """Ours and the baselines, slowest first; columns that would say nothing are left out.

    Where that are many columns, the engines are not in the table but in a sentence (`explanations`).
    """
    several = len({variant.threads for variant in record.variants}) > 1
    energy = any(variant.energy for variant in record.variants)
    columns = (
        "variant",
        *(["threads"] if several else []),
        *("p50", "p99", f"× vs {record.reference}"),
        *(["energy, total", "energy, dynamic"] if energy else []),
        *("file", "peak RSS"),
    )
    rows = [
        (
            variant.name if engines_apart(record) else f"{variant.name} ({variant.engine})",
            *([str(variant.threads)] if several else []),
            latency_cell(variant.latency),
            p99_cell(variant.latency),
            speedup_cell(variant.speedup, variant.latency.kind),
            *([total_energy_cell(variant.energy), dynamic_energy_cell(variant.energy)] if energy else []),
            bytes_cell(variant.file_bytes),
            bytes_cell(variant.peak_rss_bytes),
        )
        for variant in ordered_variants(record)
    ]
    return Table("Latency of one batch" + (" and its energy" if energy else ""), columns, tuple(rows))


def runs_table(records: Sequence[RunRecord]) -> Table:
    """Several runs, a line each: what the first bundle of each gained."""
    references = {record.reference for record in records}
    rows = []
    for record in records:
        variant = ours(record)
        reference = reference_of(record, variant)
        kind = variant.latency.kind
        rows.append(
            (
                machine(record),
                name_of(record.bundles[0].name),
                str(variant.threads),
                *([] if len(references) == 1 else [record.reference]),
                latency_cell(reference.latency) if reference else NOTHING,
                latency_cell(variant.latency),
                speedup_cell(variant.speedup, kind) if reference else NOTHING,
                total_energy_cell(variant.energy),
                "estimate" if kind == "estimate" else "yes" if record.validity.ok else "NO",
            )
        )
    against = [f"{next(iter(references))}, p50"] if len(references) == 1 else ["reference", "its p50"]
    columns = ("machine", "bundle", "threads", *against, "p50", "×", "energy, total", "valid")
    return Table("All runs", columns, tuple(rows))


def layers_tables(record: RunRecord, top: int = 10) -> tuple[Table, ...]:
    """For each bundle the functions that take longest; none where no layers were measured."""
    titles = {
        bundle.variant: f"Where {'our module' if len(record.bundles) == 1 else bundle.variant} spends its time"
        for bundle in record.bundles
    }
    tables = [
        _layers_table(title, [layer for layer in record.layers if layer.bundle == variant], record.kind, top)
        for variant, title in titles.items()
    ]
    return tuple(table for table in tables if table.rows)


def _layers_table(title: str, layers: Sequence[Layer], kind: str, top: int) -> Table:
    rows = [
        (
            layer.name,
            " ".join(filter(None, (layer.op, layer.variant))) or NOTHING,
            str(layer.calls),
            layer_latency_cell(layer.latency_ms, layer.kind),
            f"{layer.share * 100:.1f} %",
        )
        for layer in layers[:top]
    ]
    if len(layers) > top:
        rest = layers[top:]
        rest_ms, share = sum(layer.latency_ms for layer in rest), sum(layer.share for layer in rest)
        calls = str(sum(layer.calls for layer in rest))
        rows.append((f"{len(rest)} others", NOTHING, calls, layer_latency_cell(rest_ms, kind), f"{share * 100:.1f} %"))
    return Table(title, ("function", "op", "calls", "time", "share"), tuple(rows))
