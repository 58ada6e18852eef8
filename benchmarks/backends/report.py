"""The figures of each layer and of whole inferences: rows for JSON, and a table of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from benchmarks.backends.executed import Executed
from edgebin.bundle.manifest import Operation

REFERENCE = "tvm"


def layer_rows(
    model: str, target: str, operations: Iterable[Operation], executed: Mapping[str, Executed]
) -> list[dict[str, Any]]:
    """A row for each kernel call of the TVM module; `ratio` is a backend's instructions over the module's.

    Functions that TVM wrote itself are no calls of ours, and other runtimes have their own for them. A backend that
    does several of the module's calls in one, or one in several, has None there.
    """
    rows = []
    for operation in operations:
        if operation.variant is None:
            continue
        (node,) = operation.nodes
        instructions = {backend: figures.nodes.get(node) for backend, figures in executed.items()}
        reference = instructions.pop(REFERENCE)
        rows.append(
            {
                "model": model,
                "target": target,
                "layer": node,
                "kernel": operation.kind,
                "variant": operation.variant,
                "macs": operation.macs,
                "bytes": operation.bytes_,
                "instructions": {REFERENCE: reference, **instructions},
                "ratio": {
                    backend: count / reference if count is not None and reference else None
                    for backend, count in instructions.items()
                },
            }
        )
    return rows


def runtime_rows(model: str, target: str, executed: Mapping[str, Executed]) -> list[dict[str, Any]]:
    """A row for each backend's whole inference."""
    return [
        {
            "model": model,
            "target": target,
            "backend": backend,
            "instructions": figures.total,
            "nodes": len(figures.nodes),
            "in_nodes": sum(figures.nodes.values()),
            "between_nodes": figures.between,
            "between_per_node": figures.between_per_node,
            "outside": figures.outside,
            "model_cycles": figures.model_cycles,
        }
        for backend, figures in executed.items()
    ]


def worst(rows: Iterable[dict[str, Any]], backend: str, kernels: Iterable[str]) -> dict[str, Any] | None:
    """The row of one of these kernels with the backend's largest ratio."""
    wanted = set(kernels)
    known = [row for row in rows if row["kernel"] in wanted and row["ratio"].get(backend) is not None]
    return max(known, key=lambda row: float(row["ratio"][backend]), default=None)


def print_layers(rows: list[dict[str, Any]], stream: TextIO) -> None:
    """Calls of one kernel of one size in one line: their mean, and the largest ratio among them."""
    alike: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault((row["kernel"], row["variant"], row["macs"], row["bytes"]), []).append(row)
    backends = list(rows[0]["ratio"])
    heading = "".join(f"{name:>16} {'worst':>6}" for name in backends)
    print(f"\n{rows[0]['model']} on {rows[0]['target']}, instructions of a call", file=stream)
    print(f"  {'calls':>5} {'kernel':22} {'variant':10} {REFERENCE:>11}{heading}", file=stream)
    for (kernel, variant, *_), group in alike.items():
        text = "".join(f"{_mean(group, name):>16} {_worst_ratio(group, name):>6}" for name in backends)
        print(f"  {len(group):>5} {kernel:22} {variant:10} {_mean(group, REFERENCE):>11}{text}", file=stream)


def print_runtimes(rows: list[dict[str, Any]], stream: TextIO) -> None:
    """Whole inferences."""
    print(f"\n{rows[0]['model']} on {rows[0]['target']}, one inference", file=stream)
    print(
        f"  {'backend':22} {'instructions':>13} {'in nodes':>13} {'between':>11} {'per node':>9} {'outside':>11} "
        f"{'Mcycles, model':>15}",
        file=stream,
    )
    for row in rows:
        print(
            f"  {row['backend']:22} {row['instructions']:>13,} {row['in_nodes']:>13,} {row['between_nodes']:>11,} "
            f"{row['between_per_node']:>9,.0f} {row['outside']:>11,} {row['model_cycles'] / 1e6:>15.1f}",
            file=stream,
        )


def _mean(rows: list[dict[str, Any]], backend: str) -> str:
    counts = [row["instructions"][backend] for row in rows]
    return "-" if None in counts else f"{round(sum(counts) / len(counts)):,}"


def _worst_ratio(rows: list[dict[str, Any]], backend: str) -> str:
    ratios = [row["ratio"][backend] for row in rows]
    return "-" if None in ratios else f"{max(ratios):.3f}"
