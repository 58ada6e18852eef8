"""`profile_bundles`: one record of bundles and baselines, measured where this host can run them, else estimated."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import edgebin
from edgebin.board import LocalMachine
from edgebin.bundle import open_bundle
from edgebin.errors import InputError, MeasurementInvalid
from edgebin.profile import estimate, measure
from edgebin.profile.baseline import Baseline
from edgebin.profile.contender import Named, named
from edgebin.profile.host import Comparison, Timings
from edgebin.profile.hosting import HOSTED
from edgebin.profile.opponents import Opponents, prepare_opponents
from edgebin.profile.quantities import EstimatedLatency, MeasuredLatency, Speedup
from edgebin.profile.record import Artefact, Device, Layer, Protocol, RunRecord, Validity, Variant
from edgebin.profile.run_folder import write_run_folder
from edgebin.profile.statistics import ratio, summarize
from edgebin.profile.validity import judge
from edgebin.targets import Target
from edgebin.targets.host import host_arch


def profile_bundles(
    paths: Sequence[Path],
    *,
    baselines: Sequence[str] = ("fp32", "int8"),
    threads: int = 1,
    pin: bool | Sequence[int] = True,
    min_runs: int = 50,
    min_seconds: float = 5.0,
    warmup_seconds: float = 1.0,
    baseline_model: Path | None = None,
    save: Path | None = None,
) -> RunRecord:
    """Profiles bundles of one target against each other and against their full-precision twin.

    Bundles for this host's architecture are measured, all in turns. Any others are estimated from exact instruction
    counts under QEMU; estimates are for one thread, and every figure says that it is one.

    Args:
        paths: the bundles; baselines are of the first one's model.
        baselines: of `edgebin.profile.baseline.BASELINES`; empty for none.
        threads: the same for all engines.
        pin: True keeps all engines on the last processors, a list on these, False leaves them to the scheduler.
        min_runs: timed inferences of each engine, at least.
        min_seconds: time spent in them, at least.
        warmup_seconds: before that, at least.
        baseline_model: an ONNX file to use as the twin; otherwise one is built from the bundle's model configuration.
        save: run folder to write; it appears when everything is measured.

    Raises:
        BundleError, InputError: an unusable bundle, baseline or option; bundles that cannot be compared.
        TargetMismatch: a bundle is for this architecture but not for this processor.
        ToolchainError: no emulator, no compiler, or a library that has not been fetched.
        BoardError: a program died.
        MeasurementInvalid: an estimate that cannot be made: several threads, a core without rates, a baseline that has
            no program for the board.
    """
    if save is not None and save.exists():
        raise InputError(f"`{save}` exists already", hint="name another run folder")
    ours = named([open_bundle(path) for path in paths])
    target = ours[0].bundle.manifest.target
    if estimated := target.arch != host_arch():
        _check_estimable(baselines, threads)
    else:
        for side in ours:
            LocalMachine().check(side.bundle.manifest)
    with tempfile.TemporaryDirectory() as scratch:
        opponents = prepare_opponents(ours, baselines, baseline_model, Path(scratch), threads=threads)
        if estimated:
            record, comparison = _estimated(ours, opponents), None
        else:
            cpus = measure.choose_cpus(threads) if pin is True else (tuple(pin) if pin else None)
            contenders = [side.contender(threads) for side in ours]
            contenders += [baseline.contender(target, threads) for baseline in opponents.onnxruntime]
            comparison, sides = measure.measure(
                [*contenders, *opponents.hosted],
                cpus=cpus,
                min_runs=min_runs,
                min_seconds=min_seconds,
                warmup_seconds=warmup_seconds,
            )
            protocol = Protocol(
                (threads,), min_runs, min_seconds, warmup_seconds, len(comparison.timings[0].rounds), True
            )
            layers = [layer for side in ours for layer in measure.measured_layers(side, threads=threads, cpus=cpus)]
            record = _measured(ours, comparison, sides, protocol, cpus, layers, opponents.notes)
    if save is not None:
        write_run_folder(save, record, comparison)
    return record


def default_run_folder(paths: Sequence[Path], target: str, parent: Path = Path("runs")) -> Path:
    """`runs/<UTC time>-<target>-<bundle>`, a name that was not taken a moment ago; `<bundle>-and-2` for three."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = paths[0].stem.removesuffix(f"-{target}")
    others = f"-and-{len(paths) - 1}" if len(paths) > 1 else ""
    return parent / f"{stamp}-{target}-{name}{others}"


def _check_estimable(baselines: Sequence[str], threads: int) -> None:
    if threads != 1:
        raise MeasurementInvalid(
            f"no estimate for {threads} threads: instructions are counted for one",
            flags=("threads",),
            hint="leave --threads at 1, or measure on the board",
        )
    if hosted := sorted(set(baselines) & set(HOSTED)):
        raise MeasurementInvalid(
            f"no estimate of the baseline `{hosted[0]}`: Python hosts it, and only programs of the board are counted",
            flags=("baseline",),
            hint="for the float twin on TFLite, profile a bundle of it too: `edgebin compile … --full-precision`",
        )


def _measured(
    ours: Sequence[Named],
    comparison: Comparison,
    sides: Sequence[measure.Measured],
    protocol: Protocol,
    cpus: tuple[int, ...] | None,
    layers: Sequence[Layer],
    notes: Sequence[str],
) -> RunRecord:
    reference = _reference(comparison.timings)
    variants = []
    for timings, side in zip(comparison.timings, sides, strict=True):
        summary = summarize(timings.all_ms)
        variants.append(
            Variant(
                name=side.name,
                engine=side.engine,
                latency=MeasuredLatency(
                    runs=summary.count,
                    p50_ms=summary.p50,
                    p90_ms=summary.p90,
                    p99_ms=summary.p99,
                    min_ms=summary.minimum,
                    mean_ms=summary.mean,
                    stdev_ms=summary.stdev,
                ),
                speedup=_measured_speedup(reference, timings),
                file_bytes=side.file_bytes,
                threads=protocol.threads[0],
                cpus=cpus,
                peak_rss_bytes=side.peak_rss_bytes,
                load_ms=side.load_ms,
                first_ms=timings.first_ms,
                note=side.note,
            )
        )
    return _record(ours, protocol, variants, layers, judge(variants), [*notes, *comparison.remarks])


def _estimated(ours: Sequence[Named], opponents: Opponents) -> RunRecord:
    target = ours[0].bundle.manifest.target
    variants: list[Variant] = []
    layers: list[Layer] = []
    for side in ours:
        manifest = side.bundle.manifest
        counts = estimate.count_bundle(side.bundle)
        latency = estimate.latency(counts, target, manifest.files[manifest.model_name].size)
        variants.append(Variant(side.name, manifest.engine, latency, None, side.bundle.size_bytes))
        layers += estimate.layers(latency, *estimate.count_functions(side.bundle), side)
    variants += _quickest_estimates(opponents.onnxruntime, target)
    reference = next((variant for variant in variants if variant.name == "fp32"), None)
    if reference is None and len(variants) > 1:
        reference = variants[0]
    if reference is not None:
        variants = [
            replace(variant, speedup=Speedup(reference.latency.p50_ms / variant.latency.p50_ms)) for variant in variants
        ]
    protocol = Protocol((1,), 1, 0.0, 0.0, 1, False)
    return _record(ours, protocol, variants, layers, Validity(ok=True), opponents.notes)


def _quickest_estimates(baselines: Sequence[Baseline], target: Target) -> list[Variant]:
    """One variant per name."""
    quickest: dict[str, Variant] = {}
    for baseline in baselines:
        latency = estimate.latency(estimate.count_baseline(baseline, target), target, baseline.file_bytes)
        variant = Variant(
            name=baseline.name,
            engine=baseline.engine(target),
            latency=latency,
            speedup=None,
            file_bytes=baseline.file_bytes,
            note=baseline.how,
        )
        best = quickest.get(baseline.name)
        if best is None or latency.p50_ms < best.latency.p50_ms:
            quickest[baseline.name] = variant
    return list(quickest.values())


def _record(
    ours: Sequence[Named],
    protocol: Protocol,
    variants: Sequence[Variant],
    layers: Sequence[Layer],
    validity: Validity,
    notes: Sequence[str],
) -> RunRecord:
    return RunRecord(
        edgebin_version=edgebin.__version__,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        bundles=tuple(
            Artefact(side.bundle.path.name, side.bundle.sha256, side.bundle.size_bytes, side.name) for side in ours
        ),
        device=_device(ours[0].bundle.manifest.target, estimated=isinstance(variants[0].latency, EstimatedLatency)),
        protocol=protocol,
        variants=tuple(variants),
        layers=tuple(layers),
        validity=validity,
        notes=tuple(notes),
    )


def _device(target: Target, *, estimated: bool) -> Device:
    system = None if estimated else f"{platform.system()} {platform.release()}, {os.cpu_count()} processors"
    return Device(target.id, target.name, target.core.name, target.freq_hz, system)


def _reference(timings: Sequence[Timings]) -> Timings | None:
    """fp32, or the first of several (`RunRecord.reference`)."""
    fp32 = next((timing for timing in timings if timing.name == "fp32"), None)
    return fp32 or (timings[0] if len(timings) > 1 else None)


def _measured_speedup(reference: Timings | None, timings: Timings) -> Speedup | None:
    if reference is None:
        return None
    result = ratio(reference.rounds, timings.rounds)
    return Speedup(result.of_medians, result.of_minima, result.ci95_low, result.ci95_high)
