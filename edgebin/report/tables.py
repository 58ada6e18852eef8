"""The tables and texts of a profile, made once; every form of output shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgebin.profile.quantities import EstimatedLatency
from edgebin.profile.record import Layer, RunRecord
from edgebin.report.cells import (
    NOTHING,
    bound_text,
    bytes_cell,
    latency_cell,
    layer_latency_cell,
    p99_cell,
    speedup_cell,
)

# EB_ORT_OWN_WORK of kernels/runtime/engine_ort_profile.h.
_ONNXRUNTIME = "(onnxruntime)"


@dataclass(frozen=True)
class Table:
    """Cells as text. The first column is left-aligned, the others are figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def summary_line(record: RunRecord) -> str:
    """Which bundle on which machine, and whether to trust it."""
    device = record.device
    valid = "" if record.validity.ok else f"; not to be trusted: {', '.join(record.validity.flags)}"
    how = "estimated, not measured" if record.kind == "estimate" else "measured"
    names = ", ".join(bundle.name for bundle in record.bundles)
    return f"{names} on {device.name} ({device.core}, {device.freq_hz / 1e9:.2f} GHz), {_threads(record)}: {how}{valid}"


def variants_table(record: RunRecord) -> Table:
    """Ours and the baselines, slowest first."""
    ordered = sorted(record.variants, key=lambda variant: -variant.latency.p50_ms)
    rows = [
        (
            f"{variant.name} ({variant.engine})",
            latency_cell(variant.latency),
            p99_cell(variant.latency),
            speedup_cell(variant.speedup, variant.latency.kind),
            bytes_cell(variant.file_bytes),
            bytes_cell(variant.peak_rss_bytes),
        )
        for variant in ordered
    ]
    return Table(
        "Latency of one batch", ("variant", "p50", "p99", f"× vs {record.reference}", "file", "peak RSS"), tuple(rows)
    )


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


def _threads(record: RunRecord) -> str:
    """`1 thread`, `1, 2 and 4 threads`."""
    *others, last = map(str, record.protocol.threads)
    numbers = f"{', '.join(others)} and {last}" if others else last
    return f"{numbers} thread{'' if record.protocol.threads == (1,) else 's'}"


def explanations(record: RunRecord) -> tuple[str, ...]:
    """What each figure is and how it came about, one sentence or two each."""
    lines: list[str] = []
    first = record.variants[0].latency
    if isinstance(first, EstimatedLatency):
        lines.append(
            f"Estimates: instructions of the real programs were counted exactly under QEMU and costed on a model of "
            f"{record.device.core} with its published instruction rates, for one thread and warm caches. "
            f"The true time may differ by {bound_text(first)} ({first.error_bound.basis})."
        )
        lines.append(
            f"× vs {record.reference}: estimated latency of {record.reference} divided by that of the variant."
        )
    else:
        protocol = record.protocol
        cpus = sorted({cpu for variant in record.variants for cpu in variant.cpus or ()})
        where = f"processors {', '.join(map(str, cpus))}" if cpus else "any processor"
        lines.append(
            f"p50 is the median ± standard deviation of at least {protocol.min_runs} inferences and "
            f"{protocol.min_seconds:g} s of each variant after warm-up, taken in turns ({protocol.rounds} rounds) "
            f"on {where} with {_threads(record)}; p99 is their 99th percentile."
        )
        of_minima = [
            f"{variant.name} {variant.speedup.of_minima:.2f}×"
            for variant in record.variants
            if variant.speedup is not None and variant.speedup.of_minima is not None
        ]
        if of_minima:
            lines.append(
                f"× vs {record.reference}: ratio of medians with its 95 % bootstrap interval. "
                f"Of the minima: {', '.join(of_minima)}."
            )
        lines.append(
            "First inference and load time (process start to model ready): "
            + ", ".join(
                f"{variant.name} {variant.first_ms:.2f} ms and {variant.load_ms:.0f} ms"
                for variant in record.variants
                if variant.first_ms is not None and variant.load_ms is not None
            )
            + "."
        )
    if any(layer.name == _ONNXRUNTIME and layer.kind == "measured" for layer in record.layers):
        lines.append(
            f"Functions beside {_ONNXRUNTIME} are as its own profiler has them: in whole microseconds, slowed by it."
        )
    lines.append("File: the whole bundle, runtime libraries included; of a baseline the model's file alone.")
    lines += [f"{variant.name}: {variant.note}." for variant in record.variants if variant.note]
    lines += [f"Note: {note}." for note in record.notes]
    return tuple(lines)
