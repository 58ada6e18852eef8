"""`profile_bundles`: one record of bundles and baselines, measured where a machine can run them, else estimated."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from edgebin.board.job import Job
from edgebin.board.transports.hosts import LOCAL
from edgebin.board.transports.reach import reach
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Bundle, open_bundle
from edgebin.errors import InputError
from edgebin.profile.baselines.contender import named
from edgebin.profile.baselines.opponents import prepare_opponents
from edgebin.profile.estimate.profile import check_estimable, estimated_record
from edgebin.profile.measure.measurement import Say, measure
from edgebin.profile.measure.measurement import resume as _resume
from edgebin.profile.measure.pending import read_pending
from edgebin.profile.options import OFF, Options
from edgebin.profile.record import RunRecord
from edgebin.profile.run_folder import check_new, new_run_folder, record_files
from edgebin.targets.host import host_arch


def profile_bundles(
    paths: Sequence[Path],
    options: Options | None = None,
    *,
    host: str | None = None,
    save: Path | None = None,
    say: Say = lambda _: None,
    started: Callable[[Job], None] = lambda _: None,
) -> RunRecord:
    """Profiles bundles of one target against each other and against their full-precision twin.

    On a machine all are measured, in turns. Without one, bundles for another architecture than this host's are
    estimated from exact instruction counts under QEMU; estimates are for one thread, and every figure says that it is
    one.

    Args:
        paths: the bundles; baselines are of the first one's model.
        options: how to measure.
        host: the machine, as `edgebin.board.reach` takes it; None for this host, or an estimate where it cannot run
            them.
        save: run folder to write; None leaves nothing behind.
        say: told about each step.
        started: gets the job as soon as it runs on the machine.

    Raises:
        BundleError, InputError: an unusable bundle, baseline or option; bundles that cannot be compared.
        TargetMismatch: a bundle is not for this machine.
        ToolchainError: no emulator, no compiler, or a library that has not been fetched.
        BoardError: the machine cannot be reached, or a program died.
        ConnectionLost: it goes on there; `resume_profile` picks it up.
        MeasurementInvalid: an estimate that cannot be made: several threads, a core without rates, a baseline that has
            no program for the board.
    """
    bundles = [open_bundle(path) for path in paths]
    if host is None and bundles[0].manifest.target.arch != host_arch():
        return _estimate(bundles, options or Options(), save)
    with closing(reach(host or LOCAL)) as way:
        refuse_emulated(way)
        return profile_on(way, bundles, options, host=host or LOCAL, save=save, say=say, started=started)


def refuse_emulated(way: Transport) -> None:
    """Raises InputError where a machine's times would mean nothing."""
    if way.emulated:
        raise InputError(
            f"the times of {way.name} say nothing of a board", hint="leave `--host` out: that gives an estimate"
        )


def profile_on(
    way: Transport,
    bundles: Sequence[Bundle],
    options: Options | None = None,
    *,
    host: str,
    address: str | None = None,
    save: Path | None = None,
    say: Say = lambda _: None,
    started: Callable[[Job], None] = lambda _: None,
) -> RunRecord:
    """The same over a way that is open already; `host` is what the record calls the machine.

    `address` is what `edgebin.board.transports.reach` knows it as, if that is something else.

    An emulated machine's record is marked as not to be trusted: this is for trying things out.

    Raises:
        As `profile_bundles`.
    """
    ours = named(bundles)
    with tempfile.TemporaryDirectory(prefix="edgebin-run-") as scratch:
        folder = save or Path(scratch, "run")
        return measure(
            ours, options or Options(), way, host=host, address=address, save=folder, say=say, started=started
        )


def resume_profile(folder: Path, *, say: Say = lambda _: None) -> RunRecord:
    """Goes on with a measurement that was lost sight of, in its run folder.

    Raises:
        InputError: there is none in this folder.
        BoardError, ConnectionLost: as `profile_bundles`.
    """
    with closing(reach(read_pending(folder).host)) as way:
        return _resume(folder, way, say=say)


def default_run_folder(paths: Sequence[Path], target: str, parent: Path = Path("runs")) -> Path:
    """`runs/<UTC time>-<target>-<bundle>`, a name that was not taken a moment ago; `<bundle>-and-2` for three."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = paths[0].stem.removesuffix(f"-{target}")
    others = f"-and-{len(paths) - 1}" if len(paths) > 1 else ""
    return parent / f"{stamp}-{target}-{name}{others}"


def _estimate(bundles: Sequence[Bundle], options: Options, save: Path | None) -> RunRecord:
    if save is not None:
        check_new(save)
    ours = named(bundles)
    check_estimable(options)
    with tempfile.TemporaryDirectory() as scratch:
        opponents = prepare_opponents(
            ours, options.baselines, options.baseline_model, Path(scratch), threads=options.threads
        )
        record = estimated_record(ours, opponents, energy=options.energy != OFF)
    if save is not None:
        new_run_folder(save, record_files(record, None))
    return record
