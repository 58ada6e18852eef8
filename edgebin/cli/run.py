"""`edgebin run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgebin.cli import output
from edgebin.cli.host import HostOption, copied


def run(
    bundle: Annotated[Path, typer.Argument(metavar="X.ebz", help="A bundle made by `edgebin compile`.")],
    input_: Annotated[
        Path,
        typer.Option(
            "--input", "-i", metavar="IN.npz", help="Holds `pixel_values` [batch, 3, height, width], float32."
        ),
    ],
    output_: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.npz", help="Gets `logits` [batch, classes], float32.")
    ],
    host: HostOption = None,
    threads: Annotated[int, typer.Option("--threads", "-T", min=1, help="Threads to compute with.")] = 1,
) -> None:
    """Run a bundle on inputs of your own.

    On this host; an ARM bundle runs under QEMU, as the target's own processor model. With `--host` on a board: what it
    does not have yet of the bundle is copied there.
    """
    from edgebin.board import machine_at, run_bundle_files
    from edgebin.bundle import open_bundle

    with machine_at(host, open_bundle(bundle)) as machine:
        output.progress(f"running {bundle} on {machine.name}")
        report = run_bundle_files(bundle, input_, output_, machine=machine, threads=threads)
        output.fields(
            {"ran": f"{report.rows} images on {machine.name}", **copied(machine), "wrote": output.size(output_)}
        )
