"""`profile_bundle`: one record for one bundle, measured where this host can run it, estimated otherwise."""

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
from edgebin.bundle import Bundle, open_bundle
from edgebin.errors import InputError, MeasurementInvalid
from edgebin.profile import estimate, measure
from edgebin.profile.baseline import Baseline, prepare, user_twin
from edgebin.profile.host import Comparison, Timings
from edgebin.profile.protocol import (
    Artefact,
    Device,
    EstimatedLatency,
    Layer,
    MeasuredLatency,
    Protocol,
    RunRecord,
    Speedup,
    Validity,
    Variant,
)
from edgebin.profile.run_folder import write_run_folder
from edgebin.profile.statistics import ratio, summarize
from edgebin.profile.twin import export_twin
from edgebin.targets import Target
from edgebin.targets.host import host_arch
from edgebin.toolchain.runtime import ONNXRUNTIME_VERSION

_TRUSTED_REACH = 0.1
_RANDOM_TWIN = "the full-precision twin has the same shape and random weights: it serves for latency only"


def profile_bundle(
    bundle_path: Path,
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
    """Profiles a bundle against its full-precision twin under onnxruntime.

    A bundle for this host's architecture is measured. Any other is estimated from exact instruction counts under QEMU;
    estimates are for one thread, and every figure says that it is one.

    Args:
        bundle_path: the bundle.
        baselines: of "fp32" and "int8"; empty for none.
        threads: the same for all engines.
        pin: True keeps all engines on the last processors, a list on these, False leaves them to the scheduler.
        min_runs: timed inferences of each engine, at least.
        min_seconds: time spent in them, at least.
        warmup_seconds: before that, at least.
        baseline_model: an ONNX file to use as the twin; otherwise one is built from the bundle's model configuration.
        save: run folder to write; it appears when everything is measured.

    Raises:
        BundleError, InputError: an unusable bundle, baseline or option.
        TargetMismatch: the bundle is for this architecture but not for this processor.
        ToolchainError: no emulator, no compiler, or a library that has not been fetched.
        BoardError: a program died.
        MeasurementInvalid: an estimate that cannot be made: several threads, or a core without rates.
    """
    if save is not None and save.exists():
        raise InputError(f"`{save}` exists already", hint="name another run folder")
    bundle = open_bundle(bundle_path)
    with tempfile.TemporaryDirectory() as scratch:
        prepared = _baselines(bundle, baselines, baseline_model, Path(scratch))
        notes = [] if baseline_model is not None or not prepared else [_RANDOM_TWIN]
        if bundle.manifest.target.arch != host_arch():
            record, comparison = _estimated(bundle, prepared, threads, notes), None
        else:
            LocalMachine().check(bundle.manifest)
            cpus = measure.choose_cpus(threads) if pin is True else (tuple(pin) if pin else None)
            comparison, sides = measure.measure(
                bundle,
                prepared,
                bundle.manifest.target,
                threads=threads,
                cpus=cpus,
                min_runs=min_runs,
                min_seconds=min_seconds,
                warmup_seconds=warmup_seconds,
            )
            protocol = Protocol(
                threads, cpus, min_runs, min_seconds, warmup_seconds, len(comparison.timings[0].rounds), True
            )
            layers = measure.measured_layers(bundle, threads=threads, cpus=cpus)
            record = _measured(bundle, comparison, sides, protocol, layers, notes)
    if save is not None:
        write_run_folder(save, record, comparison)
    return record


def default_run_folder(bundle_path: Path, target: str, parent: Path = Path("runs")) -> Path:
    """`runs/<UTC time>-<target>-<bundle>`, a name that was not taken a moment ago."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = bundle_path.stem.removesuffix(f"-{target}")
    return parent / f"{stamp}-{target}-{name}"


def _baselines(bundle: Bundle, names: Sequence[str], file: Path | None, folder: Path) -> list[Baseline]:
    if not names:
        return []
    spec = bundle.manifest.inputs[0]
    if file is not None:
        fp32 = user_twin(file, spec.shape[1:])
    else:
        fp32 = export_twin(bundle.manifest.model, folder / "fp32.onnx")
    return prepare(names, fp32, folder, batch=bundle.manifest.batch)


def _measured(
    bundle: Bundle,
    comparison: Comparison,
    sides: Sequence[measure.Measured],
    protocol: Protocol,
    layers: tuple[Layer, ...],
    notes: Sequence[str],
) -> RunRecord:
    reference = next((timings for timings in comparison.timings if timings.name == "fp32"), None)
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
                peak_rss_bytes=side.peak_rss_bytes,
                load_ms=side.load_ms,
                first_ms=timings.first_ms,
                note=side.note,
            )
        )
    return _record(bundle, protocol, variants, layers, _validity(variants), [*notes, *comparison.remarks])


def _estimated(bundle: Bundle, baselines: Sequence[Baseline], threads: int, notes: Sequence[str]) -> RunRecord:
    if threads != 1:
        raise MeasurementInvalid(
            f"no estimate for {threads} threads: instructions are counted for one",
            flags=("threads",),
            hint="leave --threads at 1, or measure on the board",
        )
    target, manifest = bundle.manifest.target, bundle.manifest
    counts, report = estimate.count_bundle(bundle)
    variants = [
        Variant(
            name=measure.BINARY,
            engine=manifest.engine,
            latency=estimate.latency(counts, target, manifest.files[manifest.model_name].size),
            speedup=None,
            file_bytes=bundle.size_bytes,
        )
    ]
    quickest: dict[str, Variant] = {}
    for baseline in baselines:
        latency = estimate.latency(estimate.count_baseline(baseline, target), target, baseline.file_bytes)
        variant = Variant(
            name=baseline.name,
            engine=f"onnxruntime {ONNXRUNTIME_VERSION}",
            latency=latency,
            speedup=None,
            file_bytes=baseline.file_bytes,
            note=baseline.how,
        )
        best = quickest.get(baseline.name)
        if best is None or latency.p50_ms < best.latency.p50_ms:
            quickest[baseline.name] = variant
    variants += quickest.values()
    fp32 = quickest.get("fp32")
    if fp32 is not None:
        variants = [
            replace(variant, speedup=Speedup(fp32.latency.p50_ms / variant.latency.p50_ms)) for variant in variants
        ]
    layers = estimate.layers(counts, report, bundle)
    protocol = Protocol(1, None, 1, 0.0, 0.0, 1, False)
    return _record(bundle, protocol, variants, layers, Validity(ok=True), notes)


def _validity(variants: Sequence[Variant]) -> Validity:
    """Not to be trusted: a ratio whose 95 % interval reaches further than a tenth of it to either side."""
    flags = []
    for variant in variants:
        speedup = variant.speedup
        if speedup is None or speedup.ci95_low is None or speedup.ci95_high is None:
            continue
        reach = max(speedup.of_medians - speedup.ci95_low, speedup.ci95_high - speedup.of_medians)
        if reach > _TRUSTED_REACH * speedup.of_medians:
            flags.append(f"imprecise:{variant.name}")
    return Validity(ok=not flags, flags=tuple(flags))


def _record(
    bundle: Bundle,
    protocol: Protocol,
    variants: Sequence[Variant],
    layers: tuple[Layer, ...],
    validity: Validity,
    notes: Sequence[str],
) -> RunRecord:
    return RunRecord(
        edgebin_version=edgebin.__version__,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        bundle=Artefact(bundle.path.name, bundle.sha256, bundle.size_bytes),
        device=_device(bundle.manifest.target, estimated=isinstance(variants[0].latency, EstimatedLatency)),
        protocol=protocol,
        variants=tuple(variants),
        layers=layers,
        validity=validity,
        notes=tuple(notes),
    )


def _device(target: Target, *, estimated: bool) -> Device:
    system = None if estimated else f"{platform.system()} {platform.release()}, {os.cpu_count()} processors"
    return Device(target.id, target.name, target.core.name, target.freq_hz, system)


def _measured_speedup(reference: Timings | None, timings: Timings) -> Speedup | None:
    if reference is None:
        return None
    result = ratio(reference.rounds, timings.rounds)
    return Speedup(result.of_medians, result.of_minima, result.ci95_low, result.ci95_high)
