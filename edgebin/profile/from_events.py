"""A record from what the agent wrote: from the board's events, and from nothing else that happened there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError

from edgebin.board import RunnerReport
from edgebin.errors import BoardError
from edgebin.profile.events import Begin, ClockSpeed, End, Error, Event, Output, Tuned
from edgebin.profile.layers import layers_of
from edgebin.profile.quantities import MeasuredLatency, Speedup
from edgebin.profile.record import Clock, Device, Environment, Layer, RunRecord, Validity, Variant
from edgebin.profile.statistics import median_interval, ratio, summarize
from edgebin.profile.subject import Subject
from edgebin.profile.timings import Timings, remarks, timings_of
from edgebin.toolchain.process import tail

# A command of the plan that tells where a variant spends its time.
LAYERS_PREFIX = "layers of "
_TRUSTED_REACH = 0.1


def record_from_events(subject: Subject, events: Sequence[Event]) -> RunRecord:
    """The record of a finished job.

    Raises:
        BoardError: the job has failed, or not ended; the message is the agent's.
    """
    for event in events:
        if isinstance(event, Error):
            raise BoardError(event.message)
    begin = next((event for event in events if isinstance(event, Begin)), None)
    end = next((event for event in events if isinstance(event, End)), None)
    if begin is None or end is None:
        raise BoardError("the measurement ended before its end", hint="profile again")
    timings = timings_of(subject, events)
    variants = _variants(timings)
    layers, lost = _layers(subject, events)
    flags = _imprecise(variants)
    speeds = [event.hz for event in events if isinstance(event, ClockSpeed)]
    settings = [setting for event in events if isinstance(event, Tuned) for setting in event.settings]
    return RunRecord(
        edgebin_version=subject.edgebin_version,
        created_utc=subject.created_utc,
        bundles=subject.bundles,
        device=_device(subject.device, begin),
        protocol=replace(
            subject.protocol,
            rounds=min(len(timing.rounds) for timing in timings),
            clock=Clock(min(speeds), max(speeds)) if speeds else None,
        ),
        variants=variants,
        layers=layers,
        validity=Validity(ok=not flags, flags=flags),
        notes=(*subject.notes, *remarks(timings), *lost),
        no_energy=subject.no_energy,
        environment=Environment(begin.board, end.board, tuple(setting.model_dump() for setting in settings)),
    )


def _variants(timings: Sequence[Timings]) -> tuple[Variant, ...]:
    variants = []
    for timing in timings:
        summary = summarize(timing.all_ms)
        variants.append(
            Variant(
                name=timing.side.name,
                engine=timing.side.engine,
                latency=MeasuredLatency(
                    runs=summary.count,
                    p50_ms=summary.p50,
                    p90_ms=summary.p90,
                    p99_ms=summary.p99,
                    min_ms=summary.minimum,
                    mean_ms=summary.mean,
                    stdev_ms=summary.stdev,
                    p50_ci95_ms=median_interval(timing.rounds),
                ),
                speedup=_speedup(_reference(timing, timings), timing),
                file_bytes=timing.side.file_bytes,
                threads=timing.threads,
                cpus=timing.cpus,
                peak_rss_bytes=timing.peak_rss_bytes,
                load_ms=timing.load_ms,
                first_ms=timing.first_ms,
                note=timing.note,
            )
        )
    return tuple(variants)


def _reference(timing: Timings, all_timings: Sequence[Timings]) -> Timings | None:
    """Of the same session: fp32, or the first of several (`RunRecord.reference`)."""
    session = [other for other in all_timings if other.session == timing.session]
    fp32 = next((other for other in session if other.side.name == "fp32"), None)
    return fp32 or (session[0] if len(session) > 1 else None)


def _speedup(reference: Timings | None, timing: Timings) -> Speedup | None:
    if reference is None:
        return None
    result = ratio(reference.rounds, timing.rounds)
    return Speedup(result.of_medians, result.of_minima, result.ci95_low, result.ci95_high)


def _layers(subject: Subject, events: Sequence[Event]) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Of all variants that tell, and a sentence for each that failed to."""
    layers: list[Layer] = []
    lost = []
    for event in events:
        if not isinstance(event, Output) or not event.name.startswith(LAYERS_PREFIX):
            continue
        variant = event.name.removeprefix(LAYERS_PREFIX)
        try:
            report = RunnerReport.model_validate_json(event.stdout.partition("\n")[0])
        except ValidationError:
            said = tail(event.stderr).partition("\n")[0]
            lost.append(f"no layers of {variant}: the runner ended with {event.exit}{said and ', '}{said}")
            continue
        layers += layers_of(report, variant, subject.operations.get(variant, ()))
    return tuple(layers), tuple(lost)


def _imprecise(variants: Sequence[Variant]) -> tuple[str, ...]:
    """Not to be trusted: a ratio whose 95 % interval reaches further than a tenth of it to either side."""
    several = len({variant.threads for variant in variants}) > 1
    flags = []
    for variant in variants:
        speedup = variant.speedup
        if speedup is None or speedup.ci95_low is None or speedup.ci95_high is None:
            continue
        reach = max(speedup.of_medians - speedup.ci95_low, speedup.ci95_high - speedup.of_medians)
        if reach > _TRUSTED_REACH * speedup.of_medians:
            flags.append(f"imprecise:{variant.name}" + (f"@{variant.threads}" if several else ""))
    return tuple(flags)


def _device(device: Device, begin: Begin) -> Device:
    board = begin.board
    system = f"{board.get('os') or 'Linux'}, kernel {board.get('kernel')}, {len(board.get('cpus') or ())} processors"
    return replace(device, system=system)
