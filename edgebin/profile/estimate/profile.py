"""The record of an estimate: the static one of latency.py, for a board that is not here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import edgebin
from edgebin.errors import MeasurementInvalid
from edgebin.profile.baselines.baseline import Baseline
from edgebin.profile.baselines.contender import Named
from edgebin.profile.baselines.hosting import HOSTED
from edgebin.profile.baselines.opponents import Opponents
from edgebin.profile.energy.consumption import estimate_energy, why_no_estimate
from edgebin.profile.estimate.latency import (
    count_baseline,
    count_bundle,
    count_functions,
    estimated_latency,
    estimated_layers,
)
from edgebin.profile.measure.subject import artefacts, now_utc
from edgebin.profile.options import Options
from edgebin.profile.quantities import Speedup
from edgebin.profile.record import Device, Layer, Protocol, RunRecord, Validity, Variant
from edgebin.targets import Target


def check_estimable(options: Options) -> None:
    """Raises MeasurementInvalid where there is no estimate of what the options ask for."""
    if options.threads != (1,):
        raise MeasurementInvalid(
            f"no estimate for {' and '.join(map(str, options.threads))} threads: instructions are counted for one",
            flags=("threads",),
            hint="leave --threads at 1, or measure on the board",
        )
    if hosted := sorted(set(options.baselines) & set(HOSTED)):
        raise MeasurementInvalid(
            f"no estimate of the baseline `{hosted[0]}`: Python hosts it, and only programs of the board are counted",
            flags=("baseline",),
            hint="for the float twin on TFLite, profile a bundle of it too: `edgebin compile … --full-precision`",
        )


def estimated_record(ours: Sequence[Named], opponents: Opponents, *, energy: bool = True) -> RunRecord:
    """Bundles and baselines on the bundles' target, for one thread; every figure says that it is an estimate.

    Raises:
        ToolchainError: no emulator, no compiler, or a library that has not been fetched.
        BoardError: a program died.
        MeasurementInvalid: the target's core has no rates.
    """
    target = ours[0].bundle.manifest.target
    variants: list[Variant] = []
    layers: list[Layer] = []
    for side in ours:
        manifest = side.bundle.manifest
        counts = count_bundle(side.bundle)
        latency = estimated_latency(counts, target, manifest.files[manifest.model_name].size)
        variants.append(Variant(side.name, manifest.engine, latency, None, side.bundle.size_bytes))
        layers += estimated_layers(latency, *count_functions(side.bundle), side)
    variants += _quickest_estimates(opponents.onnxruntime, target)
    reference = next((variant for variant in variants if variant.name == "fp32"), None)
    if reference is None and len(variants) > 1:
        reference = variants[0]
    if reference is not None:
        variants = [
            replace(variant, speedup=Speedup(reference.latency.p50_ms / variant.latency.p50_ms)) for variant in variants
        ]
    no_energy = why_no_estimate(target) if energy else "energy was not asked for"
    if no_energy is None:
        variants = [replace(variant, energy=estimate_energy(target, variant.latency, 1)) for variant in variants]
    protocol = Protocol((1,), 1, 0.0, 0.0, 1, False)
    return RunRecord(
        edgebin_version=edgebin.__version__,
        created_utc=now_utc(),
        bundles=artefacts(ours),
        device=Device(target.id, target.name, target.core.name, target.freq_hz),
        protocol=protocol,
        variants=tuple(variants),
        layers=tuple(layers),
        validity=Validity(ok=True),
        notes=opponents.notes,
        no_energy=no_energy,
    )


def _quickest_estimates(baselines: Sequence[Baseline], target: Target) -> list[Variant]:
    """One variant per name."""
    quickest: dict[str, Variant] = {}
    for baseline in baselines:
        latency = estimated_latency(count_baseline(baseline, target), target, baseline.file_bytes)
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
