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
        typer.Option(
            "--model", metavar="ID", help="Which system it is (`edgebin models list`), or your own: FILE.py:NAME."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The network's published config.json, if CKPT lacks its sizes."),
    ] = None,
    mlp: Annotated[
        str | None,
        typer.Option(
            "--mlp",
            metavar="MODE",
            help="What is binary in a BiViT's MLPs, for checkpoints do not tell: "
            "fp, w1a32_ste, w1a32_pws, w1a1_ste or w1a1_pws.",
        ),
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
    from edgebin.graph.exporting import MODEL_FILE, export_checkpoint

    folder = folder or Path(f"{checkpoint.stem}.export")
    output.progress(f"exporting {checkpoint}")
    result = export_checkpoint(
        checkpoint,
        folder,
        model=model,
        config=config,
        mlp=mlp,
        full_precision=full_precision,
        samples=samples,
        seed=seed,
        verify=verify,
    )
    manifest = result.manifest
    counts, agreement = manifest.counts, manifest.verification
    work = {
        "binary": counts.binary_macs,
        "ternary": counts.ternary_macs,
        "1-bit-weight": counts.one_bit_weight_macs,
        "full-precision": counts.full_precision_macs,
    }
    rows = {
        "wrote": output.size(folder / MODEL_FILE),
        "model": f"{manifest.model}, {'full precision' if manifest.full_precision else 'binary'}"
        + ("" if manifest.trained else ", untrained"),
        "weights": f"{counts.binary_weights:,} of 1 bit, {counts.full_precision_weights:,} of 32 bits",
        "work": ", ".join(f"{macs / 1e6:,.2f} M {kind}" for kind, macs in work.items() if macs)
        + " multiply-accumulates per image",
    }
    if agreement is None:
        rows["verified"] = "no, as you asked"
    else:
        stable = sum(manifest.golden.stable)
        rows["verified"] = (
            f"PyTorch against stock onnxruntime: logits differ by {agreement.onnxruntime_given_bits:.1e} at most "
            f"(allowed {manifest.golden.tolerance:.1e}), {agreement.undecided_bits} signs undecided"
        )
        rows["golden"] = f"{manifest.golden.samples} images, {stable} of which float noise leaves alone"
    output.fields(rows)
    if manifest.full_precision:
        output.next_line("profile", "X.ebz", "--baseline-model", folder / MODEL_FILE)
    else:
        output.next_line("compile", folder, "-t", "rpi4b")
