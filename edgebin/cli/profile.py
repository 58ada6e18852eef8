"""`edgebin profile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgebin.cli import output
from edgebin.cli.forms import Format, show

if TYPE_CHECKING:
    from edgebin.profile import Options, RunRecord


def profile(
    bundles: Annotated[
        list[Path] | None,
        typer.Argument(metavar="X.ebz…", help="Bundles made by `edgebin compile`; with --hosts for several targets."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            "-H",
            metavar="HOST",
            help="Where to measure: a device of `edgebin devices`, what `ssh` takes, or `local`. [default: this host; "
            "an estimate for bundles that it cannot run]",
        ),
    ] = None,
    hosts: Annotated[
        Path | None,
        typer.Option("--hosts", metavar="BOARDS.toml", help="Measure on all boards of this list, at the same time."),
    ] = None,
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            metavar="LIST",
            help="What to compare with, comma separated: fp32, int8 (onnxruntime); on this host also tflite, "
            "tflite-int8 (LiteRT), tflite-runtime (which runs TFLite bundles too, with our delegate), lce (Larq's, of "
            "--lce-only); none.",
        ),
    ] = "fp32,int8",
    baseline_model: Annotated[
        Path | None,
        typer.Option(
            "--baseline-model", metavar="FILE", help="ONNX file of the full-precision twin for the baselines."
        ),
    ] = None,
    threads: Annotated[
        str, typer.Option("--threads", "-T", metavar="LIST", help="Threads, the same for all; 1,2,4 tries each.")
    ] = "1",
    pin: Annotated[bool, typer.Option("--pin/--no-pin", help="Keep threads on the last processors.")] = True,
    pin_to: Annotated[
        str | None, typer.Option("--pin-to", metavar="LIST", help="Keep them on these processors, such as 2,3.")
    ] = None,
    min_runs: Annotated[int, typer.Option("--min-runs", min=1, help="At least so many timed runs of each.")] = 50,
    min_seconds: Annotated[float, typer.Option("--min-seconds", min=0, help="And at least so long.")] = 5.0,
    warmup_seconds: Annotated[
        float, typer.Option("--warmup-seconds", min=0, help="Before that, at least so long.")
    ] = 1.0,
    energy: Annotated[
        str,
        typer.Option(
            "--energy",
            metavar="SOURCE",
            help="`auto`, the best sensor that the board has; `off`; a sensor by name, as `edgebin doctor --host` "
            "lists them; `meter`, whose log comes later (`edgebin meter`); csv:FILE, its log.",
        ),
    ] = "auto",
    energy_windows: Annotated[int, typer.Option("--energy-windows", min=1, help="Energy windows of each.")] = 5,
    energy_seconds: Annotated[float, typer.Option("--energy-seconds", min=0.1, help="Each at least so long.")] = 10.0,
    idle_seconds: Annotated[
        float, typer.Option("--idle-seconds", min=0.1, help="Idle power is measured so long, before and after.")
    ] = 20.0,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="Hold the clock up meanwhile (governor `performance`); put back in every case."),
    ] = False,
    nvpmodel: Annotated[
        int | None, typer.Option("--nvpmodel", min=0, help="With --tune, on a Jetson: this power mode meanwhile.")
    ] = None,
    jetson_clocks: Annotated[
        bool, typer.Option("--jetson-clocks", help="With --tune, on a Jetson: highest clocks meanwhile.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print every command that would run there, and run none.")
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="RUN", help="Go on with a measurement whose board was lost sight of."),
    ] = None,
    format_: Annotated[Format, typer.Option("-o", "--output", help="How to print the result.")] = Format.table,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="DIR", help="Run folder to write [default: runs/DATE-TARGET-BUNDLE]"),
    ] = None,
) -> None:
    """Measure latency and energy, or estimate latency for a board.

    Bundles and their full-precision twin (onnxruntime, fp32 and int8) are timed in turns, in the same run: on this
    host, on a board over SSH, or on many. Without their board ARM bundles get a static estimate, which every output
    marks as one. Exit code 7 if the figures must not be trusted; they are kept. With --hosts the exit code is the
    largest of the boards that failed, then 7.
    """
    from edgebin.profile import Options, resume_profile

    if resume is not None:
        if bundles or host or hosts or dry_run or save:
            raise typer.BadParameter("it goes on as it was begun: name the run folder alone", param_hint="--resume")
        record = resume_profile(resume, say=output.progress)
        _finish(record, format_, resume)
        return
    if not bundles:
        raise typer.BadParameter("name a bundle", param_hint="X.ebz…")
    if host and hosts:
        raise typer.BadParameter("is for one machine, --hosts for many", param_hint="--host")
    if (nvpmodel is not None or jetson_clocks) and not tune:
        raise typer.BadParameter("changes the board: say --tune too", param_hint="--nvpmodel, --jetson-clocks")
    options = Options(
        baselines=() if baseline == "none" else tuple(baseline.split(",")),
        baseline_model=baseline_model,
        threads=_numbers(threads, "--threads"),
        pin=pin if pin_to is None else _numbers(pin_to, "--pin-to"),
        min_runs=min_runs,
        min_seconds=min_seconds,
        warmup_seconds=warmup_seconds,
        energy=energy,
        energy_windows=energy_windows,
        energy_seconds=energy_seconds,
        idle_seconds=idle_seconds,
        tune=_settings(tune, nvpmodel, jetson_clocks),
    )
    if hosts is not None:
        _profile_fleet(bundles, hosts, options, dry_run=dry_run, format_=format_, save=save)
    else:
        _profile_one(bundles, host, options, dry_run=dry_run, format_=format_, save=save)


def _profile_one(
    bundles: list[Path], host: str | None, options: Options, *, dry_run: bool, format_: Format, save: Path | None
) -> None:
    from edgebin.bundle import open_bundle
    from edgebin.profile import default_run_folder, dry_run_lines, profile_bundles

    if dry_run:
        typer.echo("\n".join(dry_run_lines([open_bundle(path) for path in bundles], options, host=host)))
        return
    save = save or default_run_folder(bundles, open_bundle(bundles[0]).manifest.target.id)
    output.progress(f"profiling {', '.join(map(str, bundles))}")
    record = profile_bundles(bundles, options, host=host, save=save, say=output.progress)
    _finish(record, format_, save)


def _profile_fleet(
    bundles: list[Path], hosts: Path, options: Options, *, dry_run: bool, format_: Format, save: Path | None
) -> None:
    from edgebin.board.transports.devices import load_devices
    from edgebin.bundle import open_bundle
    from edgebin.profile import default_run_folder, dry_run_lines
    from edgebin.profile.fleet import profile_fleet
    from edgebin.report import Failed

    devices = load_devices(hosts)
    if dry_run:
        opened = [open_bundle(path) for path in bundles]
        for name, device in devices.items():
            fitting = [bundle for bundle in opened if bundle.manifest.target.id == device.target] or opened
            typer.echo("\n".join([f"# board {name}", *dry_run_lines(fitting, options, host=device.host), ""]))
        return
    save = save or default_run_folder(bundles, "fleet")
    with output.Boards(list(devices)) as boards:
        fleet, records = profile_fleet(bundles, devices, options, save=save, say=boards.say)
    failed = [Failed(board.name, board.error or board.status) for board in fleet.boards if board.name not in records]
    if format_ is Format.table:
        if records:
            show(list(records.values()), format_)
        rows = [(board.name, board.host, board.status, board.error or board.run or "") for board in fleet.boards]
        output.table(("board", "host", "status", ""), rows)
    else:
        show(list(records.values()), format_, failed)
        for board in failed:
            output.progress(f"{board.board}: {board.error}")
    _kept(save)
    if fleet.exit_code:
        raise typer.Exit(fleet.exit_code)


def _kept(save: Path) -> None:
    """On stderr: the result alone is on stdout."""
    output.progress(f"\nkept in {save}\nnext: {output.command_line('report', save, '-o', 'report.html')}")


def _settings(tune: bool, nvpmodel: int | None, jetson_clocks: bool) -> tuple[str, ...]:
    """As a plan has them. The power mode comes first: it decides what clocks there are."""
    if not tune:
        return ()
    mode = () if nvpmodel is None else (f"nvpmodel {nvpmodel}",)
    return (*mode, "governor performance", *(("jetson-clocks",) if jetson_clocks else ()))


def _numbers(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of numbers, such as 1,2,4", param_hint=option) from None


def _finish(record: RunRecord, format_: Format, save: Path) -> None:
    from edgebin.errors import MeasurementInvalid
    from edgebin.report import report_json

    if format_ is Format.json:
        typer.echo(report_json(record), nl=False)
    else:
        show([record], format_)
    _kept(save)
    if not record.validity.ok:
        raise MeasurementInvalid(
            f"the figures must not be trusted: {', '.join(record.validity.flags)}",
            flags=record.validity.flags,
            hint="stop what else this machine is doing, and profile again",
        )
