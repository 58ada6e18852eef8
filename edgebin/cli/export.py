"""`edgebin export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgebin.cli import output


def export(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CKPT", help="A trained checkpoint: .pth of the official code, or .safetensors.")
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="ID", help="Which system it is (`edgebin models list`); else found out."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to write [default: CKPT's name.export]")
    ] = None,
    full_precision: Annotated[
        bool,
        typer.Option("--full-precision", help="Export the full-precision twin of the architecture, as a baseline."),
    ] = False,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Golden inputs to keep for verification.")] = 4,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the golden inputs.")] = 0,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Compare onnxruntime's outputs with PyTorch's.")
    ] = True,
) -> None:
    """Turn a checkpoint into ONNX.

    Weights take one bit each in the file, and stock onnxruntime runs it unchanged: that is verified against PyTorch.
    Next to it lie its manifest and golden inputs and outputs.
    """
    from edgebin.graph import export_checkpoint

    folder = folder or Path(f"{checkpoint.stem}.export")
    output.progress(f"exporting {checkpoint}")
    result = export_checkpoint(
        checkpoint, folder, model=model, full_precision=full_precision, samples=samples, seed=seed, verify=verify
    )
    del result
