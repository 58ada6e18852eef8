"""`edgebin unpack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def unpack(
    bundle: Annotated[Path, typer.Argument(metavar="X.ebz", help="A bundle made by `edgebin compile`.")],
    folder: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to make [default: the bundle's name]")
    ] = None,
) -> None:
    """Unpack a bundle into a folder, for programs of your own.

    Prints the lines by which they load the model: with onnxruntime, with TFLite or LiteRT, or by the bundle's runner.
    """
    from edgebin.bundle import open_bundle
    from edgebin.bundle.usage import usage

    opened = open_bundle(bundle)
    folder = folder or Path(bundle.stem)
    opened.extract(folder)
    typer.echo(usage(opened.manifest, folder))
