"""`edgebin inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output

if TYPE_CHECKING:
    from edgebin.graph.accounting import ModelReport

BUNDLE_SUFFIX = ".ebz"


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An ONNX file, an export folder or a bundle.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what a model is made of.

    Operators, parameters, bits and operations; and for each operator that stays full precision, why. Of a bundle: what
    it was compiled for and from, what it needs, and what each of its functions computes.
    """
    if file.suffix == BUNDLE_SUFFIX:
        _inspect_bundle(file, json)
    else:
        _inspect_model(file, json)


def _inspect_model(file: Path, json: bool) -> None:
    from edgebin.graph.accounting import inspect_model
    from edgebin.graph.load import load_model

    report = inspect_model(load_model(file))
    if json:
        output.as_json(report.to_dict())
        return
    rows = [
        (
            node.name,
            node.op.removeprefix("edgebin:"),
            node.kind.value,
            "x".join(map(str, node.output_shape)),
            f"{node.macs:,}" if node.macs else "",
            f"{node.weight_bits:,}" if node.weight_bits else "",
            node.reason,
        )
        for node in report.nodes
    ]
    output.table(("node", "operator", "kind", "output", "MACs", "weight bits", "why not binary"), rows)
    typer.echo()
    output.table(
        ("kind", "nodes", "MACs per image", "share", "weights", "MACs per OP", "operators"), _kind_rows(report)
    )
    typer.echo()
    output.fields(
        {
            "weights": f"{report.binary_weights:,} of 1 bit, {report.full_precision_weights:,} of 32 bits",
            "constants": output.byte_size(report.stored_bytes),
            "binary": f"{report.coverage:.1%} of all MACs work on bits alone",
            "OPs": f"{report.ops:,.0f} (as the papers count)",
        }
    )
    output.next_line("compile", file, "-t", "rpi4b")


def _kind_rows(report: ModelReport) -> list[tuple[str, ...]]:
    """One row for each kind of product that the model has."""
    from edgebin.graph.accounting import MACS_PER_OP

    total = report.macs()
    rows: list[tuple[str, ...]] = []
    for kind, macs_per_op in MACS_PER_OP.items():
        nodes = [node for node in report.nodes if node.kind is kind]
        macs = report.macs(kind)
        if nodes:
            operators = " ".join(sorted({node.op.removeprefix("edgebin:") for node in nodes}))
            weights = sum(node.weights for node in nodes)
            cells = (f"{len(nodes)}", f"{macs:,}", f"{macs / total:.1%}", f"{weights:,}", f"{macs_per_op}", operators)
            rows.append((kind.value, *cells))
    return rows


def _inspect_bundle(file: Path, json: bool) -> None:
    from edgebin.bundle import open_bundle

    bundle = open_bundle(file)
    manifest = bundle.manifest
    if json:
        output.as_json({"sha256": bundle.sha256, **manifest.model_dump(mode="json", exclude_none=True)})
        return
    tuning = manifest.tuning
    how = f"chosen by measurement on {tuning.machine}, {tuning.date}" if tuning else "chosen by model"
    output.table(
        ("node", "kernel", "variant", "MACs", "bytes"),
        [
            (" ".join(part.nodes), part.kind, part.variant or "", f"{part.macs:,}", f"{part.bytes_:,}")
            for part in manifest.operations
        ],
    )
    typer.echo()
    output.fields(
        {
            "target": f"{manifest.target.id}: {manifest.target.name}, {manifest.target.core.name}",
            "needs": f"{manifest.target.arch}, glibc {manifest.glibc}, {' '.join(manifest.features) or 'no features'}",
            "kernels": f"{manifest.kernels}, {how}",
            "model": f"{manifest.model.id}, from ONNX {manifest.model.source_sha256[:12]}",
            "inputs": ", ".join(f"{spec.name} {list(spec.shape)} {spec.dtype}" for spec in manifest.inputs),
            "outputs": ", ".join(f"{spec.name} {list(spec.shape)} {spec.dtype}" for spec in manifest.outputs),
            "backend": manifest.title,
            "made with": ", ".join([f"edgebin {manifest.edgebin}", *map(" ".join, manifest.runtimes.items())]),
            **{name: output.byte_size(entry.size) for name, entry in manifest.files.items()},
        }
    )
    output.next_line("verify", file)
