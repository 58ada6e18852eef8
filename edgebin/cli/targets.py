"""`edgebin targets`."""

from __future__ import annotations

from typing import Annotated

import typer

from edgebin.cli import output

app = typer.Typer(help="List and show boards, check your own.", rich_markup_mode=None)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_(json: JsonOption = False) -> None:
    """List the boards that `-t` accepts by name."""
    from edgebin.targets import list_targets

    targets = list_targets()
    if json:
        output.as_json([target.model_dump(mode="json") for target in targets])
        return
    rows = [
        (
            target.id,
            target.name,
            f"{target.cores} x {target.core.name}, {target.freq_hz / 1e9:.2f} GHz",
            f"glibc {target.glibc}",
            " ".join(target.kernel_paths),
        )
        for target in targets
    ]
    output.table(("target", "board", "processor", "needs", "kernels, best first"), rows)
    output.next_line("targets", "show", targets[0].id)


@app.command()
def show(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Id, alias, or path of a TOML file.")],
    json: JsonOption = False,
) -> None:
    """Show all that a target file says.

    For each figure that is not the maker's, that includes where it comes from.
    """
    from edgebin.targets import load_target

    found = load_target(target)
    if json:
        output.as_json(found.model_dump(mode="json"))
    else:
        output.tree(found.model_dump(mode="json", exclude_none=True))
        output.next_line("compile", "model.onnx", "-t", target)


@app.command()
def validate(file: Annotated[str, typer.Argument(metavar="FILE", help="A target file of your own, in TOML.")]) -> None:
    """Check a target file, naming every mistake."""
    from edgebin.errors import InputError
    from edgebin.targets import load_target

    if not file.endswith(".toml"):
        raise InputError(f"`{file}` is not a .toml file", hint="`edgebin targets show` takes names")
    found = load_target(file)
    output.fields({"valid": f"{file} ({found.id}: {found.name}, {found.core.name})"})
    output.next_line("compile", "model.onnx", "-t", file)


@app.command()
def fetch(
    targets: Annotated[list[str] | None, typer.Argument(metavar="TARGET", help="Ids, aliases or TOML files.")] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Fetch onnxruntime for ARM too, the baseline of static estimates.")
    ] = False,
) -> None:
    """Download what bundles for these boards carry.

    That is TVM's runtime, taken out of its published wheels for ARM and checked; once, afterwards all works offline.
    """
    from edgebin.errors import InputError
    from edgebin.targets import load_target
    from edgebin.toolchain.runtime import fetch_onnxruntime_aarch64, runtime_libraries

    if not targets and not baseline:
        raise InputError("nothing to fetch", hint="name a target (`edgebin targets list`), or give `--baseline`")
    for target in map(load_target, targets or ()):
        libraries = runtime_libraries(target, fetch=True, say=output.progress)
        output.fields({"ready": f"{target.id}: TVM {libraries.version}"})
    if baseline:
        path = fetch_onnxruntime_aarch64(say=output.progress)
        output.fields({"ready": f"{path.name} for ARM"})
