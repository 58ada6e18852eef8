"""`edgebin compile`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output

if TYPE_CHECKING:
    from edgebin.bundle.manifest import Tuning


class CompilerChoice(StrEnum):
    """The C compilers that can build for a target."""

    zig = "zig"
    gcc = "gcc"


def compile_(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="What `edgebin export` wrote: the folder, or its model.onnx.")
    ],
    target: Annotated[
        str,
        typer.Option("-t", "--target", metavar="TARGET", help="Id (`edgebin targets list`), or your own TOML file."),
    ],
    bundle: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="X.ebz", help="Bundle to write [default: MODEL's name-TARGET.ebz]"),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images per inference.")] = 1,
    compiler: Annotated[
        CompilerChoice | None, typer.Option("--compiler", help="C compiler [default: zig if installed]")
    ] = None,
    tune: Annotated[
        str | None,
        typer.Option(
            "--tune",
            metavar="MACHINE",
            help="Choose kernels by timing them: on `local`, or on a host as `ssh` takes it.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify/--no-verify", help="Run the bundle on its golden inputs before success is reported."),
    ] = True,
    fetch: Annotated[
        bool,
        typer.Option("--fetch/--no-fetch", help="Download the target's runtime libraries if they are not here yet."),
    ] = True,
) -> None:
    """Compile an exported model for a target.

    The result is one self-contained bundle: the board needs nothing else. ARM bundles are cross-compiled, and
    verified under QEMU.
    """
    from edgebin.board import verify_bundle
    from edgebin.board.programs import place_of
    from edgebin.bundle import open_bundle
    from edgebin.bundle.compile import compile_bundle
    from edgebin.profile.probe import tuner
    from edgebin.targets import load_target

    found = load_target(target)
    folder = model if model.is_dir() else model.parent
    bundle = bundle or Path(f"{folder.absolute().name.removesuffix('.export')}-{found.id}.ebz")
    verified = {"verified": "no, as you asked"}

    def check(path: Path) -> None:
        report = verify_bundle(open_bundle(path))
        verified["verified"] = (
            f"{report.rows} golden images on {report.machine}; outputs differ by {report.max_abs_diff:.1e} at most"
        )

    result = compile_bundle(
        model,
        found,
        bundle,
        batch=batch,
        compiler=compiler.value if compiler else "auto",
        fetch=fetch,
        tuner=None if tune is None else tuner(place_of(tune), found, say=output.progress),
        check=check if verify else None,
        say=output.progress,
    )
    manifest = result.manifest
    if manifest.tuning is not None:
        output.table(("operation", "sizes", "epilogue", "kernel", "best, us", "next best"), _choices(manifest.tuning))
        typer.echo()
    output.fields(
        {
            "wrote": output.size(bundle),
            "target": f"{found.id}: {found.name}, {found.core.name}, glibc {manifest.glibc} or newer",
            "kernels": f"{manifest.kernels}; {len(manifest.operations)} calls per inference of batch {batch}",
            "chosen": (
                f"by measurement on {manifest.tuning.machine}, {manifest.tuning.date}"
                if manifest.tuning
                else "by model"
            ),
            **verified,
        }
    )
    output.next_line("profile", bundle)


def _choices(tuning: Tuning) -> list[tuple[str, ...]]:
    """One row for each distinct call: what was chosen, and how much longer the next best takes."""
    rows: list[tuple[str, ...]] = []
    for choice in tuning.choices:
        (_, best), *others = sorted(choice.best_ns.items(), key=lambda item: (item[0] != choice.variant, item[1]))
        runner_up = f"{others[0][0]}, {others[0][1] / best:.2f}x" if others else ""
        sizes = "x".join(map(str, choice.dims))
        rows.append((choice.op, sizes, choice.epilogue, choice.variant, f"{best / 1e3:.1f}", runner_up))
    return rows
