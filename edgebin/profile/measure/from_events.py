"""A record from what the agent wrote: from the board's events, and from nothing else that happened there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from edgebin.board.state.inspect import parse_board
from edgebin.errors import BoardError, InputError
from edgebin.profile.baselines.contender import LAYERS_PREFIX
from edgebin.profile.energy.consumption import estimate_energy
from edgebin.profile.energy.joules import EnergyMeasurement, measure_energy, windows_of
from edgebin.profile.energy.trace import PowerSource, PowerTrace
from edgebin.profile.measure.events import Begin, ClockSpeed, End, Error, Event, Output, Tuned
from edgebin.profile.measure.layers import FunctionTimes, layers_of
from edgebin.profile.measure.subject import Subject
from edgebin.profile.measure.timings import Timings, remarks, timings_of
from edgebin.profile.quantities import MeasuredLatency, Speedup
from edgebin.profile.record import Clock, Device, Environment, Layer, RunRecord, Validity, Variant
from edgebin.profile.statistics import percentile_interval, ratio, summarize
from edgebin.profile.validity import ClockReading, judge
from edgebin.toolchain.process import tail


def record_from_events(subject: Subject, events: Sequence[Event], power: Path) -> RunRecord:
    """The record of a finished job. The file `power` holds its samples, if the subject names a source of power.

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
    energy, no_energy = None, subject.no_energy
    if subject.power_source is not None:
        try:
            energy = _energy(subject, events, begin, end, power)
        except InputError as error:
            no_energy = error.message
    if energy is not None:
        keys = [(timing.session, timing.contender) for timing in timings]
        variants = tuple(
            replace(variant, energy=energy.energies.get(key)) for variant, key in zip(variants, keys, strict=True)
        )
    notes = [*subject.notes, *remarks(timings)]
    if energy is None and subject.published is not None:
        variants = tuple(replace(v, energy=estimate_energy(subject.published, v.latency, v.threads)) for v in variants)
        notes.append(f"energy is estimated, not measured: {no_energy}")
        no_energy = None
    layers, lost = _layers(subject, events)
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
        validity=_verdict(
            variants,
            timings,
            events,
            begin,
            end,
            (*(("emulated",) if subject.emulated else ()), *(energy.flags if energy else ())),
        ),
        notes=(*notes, *lost),
        power=energy.power if energy else None,
        no_energy=no_energy,
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
                    p50_ci95_ms=percentile_interval(timing.rounds, 0.5),
                    p90_ci95_ms=percentile_interval(timing.rounds, 0.9),
                    p99_ci95_ms=percentile_interval(timing.rounds, 0.99),
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
            report = FunctionTimes.model_validate_json(event.stdout.partition("\n")[0])
        except ValidationError:
            said = tail(event.stderr).partition("\n")[0]
            lost.append(f"no layers of {variant}: the runner ended with {event.exit}{said and ', '}{said}")
            continue
        layers += layers_of(report, variant, subject.operations.get(variant, ()))
    return tuple(layers), tuple(lost)


def _verdict(
    variants: Sequence[Variant],
    timings: Sequence[Timings],
    events: Sequence[Event],
    begin: Begin,
    end: End,
    others: Sequence[str],
) -> Validity:
    several = len({timing.threads for timing in timings}) > 1
    names = [f"{t.side.name}@{t.threads}" if several else t.side.name for t in timings]
    return judge(
        [replace(variant, name=name) for variant, name in zip(variants, names, strict=True)],
        before=parse_board(begin.board),
        after=parse_board(end.board),
        clocks=[ClockReading(e.session, e.cpu, e.hz) for e in events if isinstance(e, ClockSpeed)],
        samples={name: timing.all_ms for name, timing in zip(names, timings, strict=True)},
        others=others,
    )


def _energy(subject: Subject, events: Sequence[Event], begin: Begin, end: End, power: Path) -> EnergyMeasurement:
    assert subject.power_source is not None
    source = PowerSource.from_inspect(begin.board, subject.power_source)
    with power.open(encoding="utf-8") as lines:
        trace = PowerTrace.from_lines(source, lines)
    windows, idles = windows_of(event.model_dump() for event in events)
    spent_ns = end.sampler.cpu_ns if end.sampler else None
    return measure_energy(trace, windows, idles, requested_hz=subject.power_hz, sampler_cpu_ns=spent_ns)


def _device(device: Device, begin: Begin) -> Device:
    board = begin.board
    system = f"{board.get('os') or 'Linux'}, kernel {board.get('kernel')}, {len(board.get('cpus') or ())} processors"
    # A target's name is that of all such boards, or "this host"; a machine elsewhere says better what it is.
    name = device.name if device.host is None else board.get("model") or device.name
    return replace(device, name=name, system=system)
