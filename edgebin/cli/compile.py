"""`edgebin compile`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output
from edgebin.cli.backend import BackendChoice

if TYPE_CHECKING:
    from edgebin.bundle import Manifest
    from edgebin.bundle.manifest import Form, Tuning


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
    backend: Annotated[
        BackendChoice,
        typer.Option(
            "--backend",
            help="Who runs it: a module compiled by TVM, onnxruntime with our custom ops, or TFLite with our delegate.",
        ),
    ] = BackendChoice.tvm,
    lce_only: Annotated[
        bool,
        typer.Option("--lce-only", help="tflite: only ops of Larq Compute Engine and of TFLite; the rest is float."),
    ] = False,
    full_precision: Annotated[
        bool,
        typer.Option(
            "--full-precision",
            help="tvm, tflite: the full-precision twin, as a baseline. A binary export's twin has random weights.",
        ),
    ] = False,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images per inference.")] = 1,
    compiler: Annotated[
        CompilerChoice | None, typer.Option("--compiler", help="C compiler [default: zig if installed]")
    ] = None,
    tune: Annotated[
        str | None,
        typer.Option(
            "--tune",
            metavar="MACHINE",
            help="Choose kernels by timing them: on `local`, on a device, or on a host as `ssh` takes it.",
        ),
    ] = None,
    tune_tracker: Annotated[
        str | None,
        typer.Option(
            "--tune-tracker",
            metavar="HOST:PORT",
            help="The same on the boards of a TVM RPC tracker, several at a time. Whoever can reach one can use it.",
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="Of which the tracker's boards are [default: TARGET].")
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
    verified under QEMU. `edgebin unpack` gives its model and library to onnxruntime or TFLite in your own program.
    """
    from contextlib import closing

    from edgebin.board import reach, verify_bundle
    from edgebin.board.tracker.tracker import parse_tracker
    from edgebin.board.transports.hosts import LOCAL
    from edgebin.bundle import open_bundle
    from edgebin.bundle.compile import check_form, compile_bundle
    from edgebin.errors import InputError
    from edgebin.profile.probe import tuner
    from edgebin.targets import load_target
    from edgebin.toolchain.runtime import runtime_libraries

    if tune is not None and tune_tracker is not None:
        raise InputError("`--tune` and `--tune-tracker` exclude each other", hint="leave one of them out")
    if key is not None and tune_tracker is None:
        raise InputError("`--key` is of the boards of a tracker", hint="add `--tune-tracker HOST:PORT`")
    if lce_only and full_precision:
        raise InputError("`--lce-only` and `--full-precision` exclude each other", hint="leave one of them out")
    form: Form = "lce-only" if lce_only else "full-precision" if full_precision else "binary"
    check_form(backend.value, form, tuned=tune is not None or tune_tracker is not None)
    found = load_target(target)
    farm = None if tune_tracker is None else parse_tracker(tune_tracker, key or found.id)
    if farm is not None:
        runtime_libraries(found, fetch=fetch, say=output.progress)  # what the probe's library is linked to
    folder = model if model.is_dir() else model.parent
    bundle = bundle or _default_bundle(folder, found.id, backend.value, form)
    verified = {"verified": "no, as you asked"}

    def check(path: Path) -> None:
        report = verify_bundle(open_bundle(path))
        verified["verified"] = (
            f"{report.rows} golden images on {report.machine}; outputs differ by {report.max_abs_diff:.1e} at most"
        )

    with closing(reach(LOCAL if tune is None else tune)) as way:
        timed_on = farm or (None if tune is None else way)
        result = compile_bundle(
            model,
            found,
            bundle,
            backend=backend.value,
            form=form,
            batch=batch,
            compiler=compiler.value if compiler else "auto",
            fetch=fetch,
            tuner=None if timed_on is None else tuner(timed_on, found, say=output.progress),
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
            "target": f"{found.id}: {found.name}, {found.core.name}",
            "needs": _needs(manifest),
            "runtime": manifest.runtime,
            **_kernels(manifest),
            **({"weights": "random: this twin of a binary model serves for latency only"} if result.random else {}),
            **verified,
        }
    )
    output.next_line("profile", bundle)


def _default_bundle(folder: Path, target: str, backend: str, form: str) -> Path:
    """`NAME-TARGET.ebz`, with what sets it apart from a plain bundle of TVM."""
    words = [folder.absolute().name.removesuffix(".export"), target]
    words += [backend] if backend != "tvm" else []
    words += [form] if form != "binary" else []
    return Path("-".join(words) + ".ebz")


def _needs(manifest: Manifest) -> str:
    """The C library that the bundle needs, and whether the target has it."""
    from edgebin.targets.host import host_arch, host_glibc
    from edgebin.toolchain.elf import parse_glibc

    needs, target = f"glibc {manifest.glibc} or newer", manifest.target
    have = host_glibc() if target.arch == host_arch() else parse_glibc(target.glibc)
    if have is None or parse_glibc(manifest.glibc) <= have:
        return needs
    return f"{needs}; with {have[0]}.{have[1]}, which {target.id} may have, its runner does not start"


def _kernels(manifest: Manifest) -> dict[str, str]:
    if not manifest.operations:
        return {}
    count = sum(1 for operation in manifest.operations if operation.variant) or len(manifest.operations)
    calls = f"{count} calls per inference of batch {manifest.batch}"
    tuning = manifest.tuning
    shown = {"kernels": f"{manifest.kernels}; {calls}"}
    if any(operation.variant for operation in manifest.operations):
        shown["chosen"] = f"by measurement on {tuning.machine}, {tuning.date}" if tuning else "by model"
    return shown


def _choices(tuning: Tuning) -> list[tuple[str, ...]]:
    """One row for each distinct call: what was chosen, and how much longer the next best takes."""
    rows: list[tuple[str, ...]] = []
    for choice in tuning.choices:
        (_, best), *others = sorted(choice.best_ns.items(), key=lambda item: (item[0] != choice.variant, item[1]))
        runner_up = f"{others[0][0]}, {others[0][1] / best:.2f}x" if others else ""
        sizes = "x".join(map(str, choice.dims))
        rows.append((choice.op, sizes, choice.epilogue, choice.variant, f"{best / 1e3:.1f}", runner_up))
    return rows
