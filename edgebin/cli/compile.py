"""`edgebin compile`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
    from edgebin.board import VerifyReport, verify_bundle
    from edgebin.bundle import open_bundle
    from edgebin.bundle.compile import compile_bundle
    from edgebin.cli.output import byte_size, fields, next_line, progress, size
    from edgebin.targets import load_target

    found = load_target(target)
    folder = model if model.is_dir() else model.parent
    output = bundle or Path(f"{folder.resolve().name}-{found.id}.ebz")
    reports: list[VerifyReport] = []
    result = compile_bundle(
        model,
        found,
        output,
        batch=batch,
        compiler=compiler.value if compiler else "auto",
        fetch=fetch,
        check=(lambda path: reports.append(verify_bundle(open_bundle(path)))) if verify else None,
        say=progress,
    )
    manifest = result.manifest
    rows = {
        "bundle": size(output),
        "target": f"{found.id}, {found.name}, {found.cores} × {found.core.name}",
        "kernels": f"{manifest.kernel_path}, {len(manifest.operations)} calls per inference",
        "module": byte_size(manifest.files["module.so"].size),
        "verified": "no (--no-verify)",
    }
    for report in reports:
        rows["verified"] = (
            f"{report.rows} golden samples on {report.machine}, largest difference {report.max_abs_diff:.2g} "
            f"(allowed {report.atol:.2g} + {report.rtol:g} of the logit)"
        )
    fields(rows)
    next_line("profile", output)
