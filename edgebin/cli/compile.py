"""`edgebin compile`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edgebin.cli import output


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
    from edgebin.bundle import open_bundle
    from edgebin.bundle.compile import compile_bundle
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
        check=check if verify else None,
        say=output.progress,
    )
    manifest = result.manifest
    output.fields(
        {
            "wrote": output.size(bundle),
            "target": f"{found.id}: {found.name}, {found.core.name}, glibc {manifest.glibc} or newer",
            "kernels": f"{manifest.kernel_path}, {len(manifest.operations)} calls per inference of batch {batch}",
            **verified,
        }
    )
    output.next_line("profile", bundle)
