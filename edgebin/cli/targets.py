"""`edgebin targets`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output
from edgebin.cli.backend import BackendChoice

if TYPE_CHECKING:
    from edgebin.profile.probe import ProbeReport

app = typer.Typer(help="List, show and probe boards, check your own.", rich_markup_mode=None)

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
def probe(
    machine: Annotated[
        str | None,
        typer.Argument(metavar="MACHINE", help="`local`, a device, or a host as `ssh` takes it, such as pi@board."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("-t", "--target", metavar="TARGET", help="Which board it is [default for local: this host]"),
    ] = None,
    qemu: Annotated[
        str | None,
        typer.Option("--qemu", metavar="TARGET", help="Emulate this target instead: kernels are checked, not timed."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE.toml", help="Write a target file with what was measured.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Try every kernel on a machine and measure what it can do.

    Prints the clock, how many instructions of a kind it starts per cycle, the speed of its memory, and of each kernel
    whether it is exact and its multiply-accumulates per cycle. A host over SSH needs nothing installed; the program
    that tries them is kept there until `edgebin devices clean`.
    """
    from contextlib import closing
    from dataclasses import asdict

    from edgebin.board import reach
    from edgebin.board.transports.hosts import LOCAL, QEMU_PREFIX
    from edgebin.errors import InputError
    from edgebin.profile.probe import probe_machine, tuned_target
    from edgebin.targets import load_target
    from edgebin.targets.save import write_target

    if (machine is None) == (qemu is None):
        raise InputError("name one machine", hint="`local`, a host, or `--qemu TARGET`")
    if qemu is not None and save is not None:
        raise InputError(
            "an emulated processor has no figures to save", hint="probe the board itself: `edgebin targets probe HOST`"
        )
    if qemu is not None and target is not None:
        raise InputError("`--qemu` names the target already", hint="leave `-t` out")
    if save is not None and save.suffix != ".toml":
        raise InputError(f"`{save}` is not a .toml file", hint="target files are TOML")
    if machine not in (None, LOCAL) and target is None:
        raise InputError(f"which board is `{machine}`?", hint="name it: `-t TARGET` (`edgebin targets list`)")
    found = load_target(qemu or target or "x86-64")
    with closing(reach(machine or f"{QEMU_PREFIX}{qemu}")) as way:
        report = probe_machine(way, found, say=output.progress)
    if save is not None:
        write_target(tuned_target(report, found), save)
    if json:
        output.as_json(asdict(report))
    else:
        _show_probe(report)
    if save is not None and not json:
        typer.echo()
        output.fields({"wrote": str(save)})
        output.next_line("compile", "model.onnx", "-t", save)


def _show_probe(report: ProbeReport) -> None:
    output.fields(
        {
            "machine": f"{report.machine}: {report.processor}",
            "clock": f"{report.freq_hz / 1e9:.2f} GHz" if report.freq_hz else "no figure: see below",
        }
    )
    typer.echo()
    if report.instructions:
        instructions = [
            (i.name, f"{i.per_cycle:.2f}", f"{i.latency_cycles:.1f}" if i.latency_cycles else "")
            for i in report.instructions
        ]
        output.table(("instruction", "per cycle", "latency, cycles"), instructions)
        typer.echo()
    if report.bandwidth:
        rows = [
            (
                f"{b.bytes_ // 1024} KiB",
                f"{b.read_bytes_per_s / 1e9:.1f}",
                f"{b.write_bytes_per_s / 1e9:.1f}",
                f"{b.copy_bytes_per_s / 1e9:.1f}",
            )
            for b in report.bandwidth
        ]
        output.table(("buffer", "read, GB/s", "write, GB/s", "copy, GB/s"), rows)
        typer.echo()
    exact = {True: "yes", False: "NO", None: "not on this processor"}
    kernels = [
        (
            k.call.op,
            "x".join(map(str, k.call.dims)),
            k.call.out,
            k.variant,
            exact[k.exact],
            *(() if report.emulated else (_figure(k.best_ns, 1e-3), _figure(k.macs_per_cycle))),
        )
        for k in report.kernels
    ]
    figures = () if report.emulated else ("best, us", "MAC per cycle")
    output.table(("operation", "sizes", "out", "kernel", "exact", *figures), kernels)
    if report.emulated:
        typer.echo(
            "\nNo clock, no rates, no times: an emulator takes as long as it takes, the board has its own speed."
        )


def _figure(value: float | None, scale: float = 1) -> str:
    return f"{value * scale:.1f}" if value else ""


@app.command()
def fetch(
    targets: Annotated[list[str] | None, typer.Argument(metavar="TARGET", help="Ids, aliases or TOML files.")] = None,
    backend: Annotated[
        list[BackendChoice] | None,
        typer.Option("--backend", help="Whose runtime; may be given several times. [default: tvm]"),
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Fetch onnxruntime for ARM too, the baseline of static estimates.")
    ] = False,
    userland: Annotated[
        bool,
        typer.Option(
            "--userland",
            help="Make an arm64 system with Python, onnxruntime and TFLite for QEMU, of Debian's packages and wheels.",
        ),
    ] = False,
) -> None:
    """Download what bundles for these boards carry.

    That is the runtime of each backend (TVM, onnxruntime, LiteRT), taken out of its published wheels for ARM and
    checked; once, afterwards all works offline.
    """
    from edgebin.errors import InputError
    from edgebin.targets import load_target
    from edgebin.toolchain.runtime import fetch_onnxruntime_aarch64, runtime_libraries
    from edgebin.toolchain.userland import userland as make_userland

    if not targets and not baseline and not userland:
        raise InputError(
            "nothing to fetch", hint="name a target (`edgebin targets list`), or give `--baseline` or `--userland`"
        )
    for target in map(load_target, targets or ()):
        for choice in backend or [BackendChoice.tvm]:
            libraries = runtime_libraries(target, choice.value, fetch=True, say=output.progress)
            output.fields({"ready": f"{target.id}: {libraries.label}"})
    if baseline:
        path = fetch_onnxruntime_aarch64(say=output.progress)
        output.fields({"ready": f"{path.name} for ARM"})
    if userland:
        made = make_userland(fetch=True, say=output.progress)
        output.fields({"ready": f"arm64 userland: {', '.join(made.packages)}"})
