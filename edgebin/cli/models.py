"""`edgebin models`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from edgebin.cli import output

app = typer.Typer(help="List the systems it can read.", rich_markup_mode=None)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_(json: JsonOption = False) -> None:
    """List the networks known by name.

    These are what `edgebin export --model` takes. Networks of the same family in other sizes are read too: a checkpoint
    that says its sizes needs no `--model`. The last column is the accuracy on ImageNet that was published.
    """
    from edgebin.models.figures import figures_of
    from edgebin.models.published import published
    from edgebin.models.registry import PRESETS

    if json:
        output.as_json([_document(model) for model in PRESETS])
        return
    rows = []
    for model, config in PRESETS.items():
        figures, known = figures_of(config), published(model)
        rows.append(
            (
                model,
                _millions(figures.parameters),
                _millions(figures.binary_weights),
                _millions(figures.ops),
                f"{known.top1_percent:.1f} %" if known else "-",
            )
        )
    output.table(("model", "parameters", "1-bit weights", "OPs", "top-1"), rows)
    output.next_line("models", "show", rows[0][0])


@app.command()
def show(
    model: Annotated[str, typer.Argument(metavar="ID", help="Which network, see `edgebin models list`.")],
    json: JsonOption = False,
) -> None:
    """Show what a network costs, and what has been published about it.

    BOPs are multiply-accumulates on bits alone, FLOPs those of floats, where 1-bit weights times floats count as half;
    OPs = BOPs / 64 + FLOPs. They are counted as the papers do, from the network's structure: `edgebin inspect` says
    what an exported one runs.
    """
    from edgebin.models.registry import resolve_config

    resolve_config(model)
    if json:
        output.as_json(_document(model))
        return
    output.fields(_fields(model))
    output.next_line("export", "checkpoint.pth", "--model", model)


def _document(model: str) -> dict[str, Any]:
    from edgebin.models.figures import figures_of
    from edgebin.models.published import published, system_of
    from edgebin.models.registry import family_name, resolve_config

    config, known = resolve_config(model), published(model)
    return {
        "id": model,
        "family": family_name(config),
        "system": asdict(system_of(model)),
        "config": asdict(config),
        "figures": figures_of(config).to_dict(),
        "published": asdict(known) if known else None,
    }


def _fields(model: str) -> dict[str, str]:
    from edgebin.models.figures import figures_of
    from edgebin.models.published import published, system_of
    from edgebin.models.registry import is_full_precision, resolve_config

    config, system, known = resolve_config(model), system_of(model), published(model)
    figures = figures_of(config)
    rows = {"model": model, "system": system.title}
    if is_full_precision(model):
        rows["system"] += ": its full-precision twin"
    if system.beware:
        rows["beware"] = system.beware
    rows |= {
        "image": f"{config.image_size}x{config.image_size}, {config.classes} classes",
        "layers": "+".join(map(str, config.depths)),
        "width": "+".join(map(str, config.dims)),
        "parameters": f"{figures.parameters:,}",
        "1-bit weights": f"{figures.binary_weights:,} ({figures.binary_weights / figures.parameters:.1%})",
        "BOPs": _millions(figures.bops),
        "FLOPs": _millions(figures.flops),
        "OPs": _millions(figures.ops),
        "size": f"{_mb(figures.packed_bytes)}; with float16 for float32, {_mb(figures.half_packed_bytes)}",
    }
    if system.counts_norms:
        rows["OPs"] += f"; with layer norms, as its paper counts, {_millions(figures.ops_with_norms)}"
        rows["size"] += f"; without biases and scales of 1-bit layers, {_mb(figures.bytes_without_binary_vectors)}"
    else:
        rows["size"] += f"; weights alone, in float16, {_mb(figures.weight_bytes)}"
    if known is None:
        return rows | {"published": "no figures that could be checked"}
    printed = [f"top-1 {known.top1_percent} %"]
    printed += [f"{known.ops_g} G OPs"] if known.ops_g is not None else []
    printed += [f"{known.size_mb} MB"] if known.size_mb is not None else []
    rows |= {"published": ", ".join(printed), "source": known.source}
    return rows | ({"note": known.note} if known.note else {})


def _millions(count: float) -> str:
    return f"{count / 1e6:,.2f} M"


def _mb(bytes_: float) -> str:
    return f"{bytes_ / 1e6:.2f} MB"
