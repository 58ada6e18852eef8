"""What each figure is and how it came about, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from edgebin.profile.quantities import EstimatedEnergy, EstimatedLatency
from edgebin.profile.record import Power, RunRecord
from edgebin.report.cells import bound_text, digits
from edgebin.report.tables import engines_apart

# EB_ORT_OWN_WORK of kernels/runtime/engine_ort_profile.h.
_ONNXRUNTIME = "(onnxruntime)"

# Source: docs/board.md, "Power".
TRUST = {
    "A": "a meter at the board's input",
    "B": "a sensor at the input of the module, or where the user has put one",
    "C": "a sum of rails",
    "D": "the processor's own count",
    "E": "an estimate that nobody measured",
}


def summary_line(record: RunRecord) -> str:
    """Which bundle on which machine, and whether to trust it."""
    device = record.device
    valid = "" if record.validity.ok else f"; not to be trusted: {', '.join(record.validity.flags)}"
    how = "estimated, not measured" if record.kind == "estimate" else "measured"
    names = ", ".join(bundle.name for bundle in record.bundles)
    host = f" at {device.host}" if device.host else ""
    clock = f"{device.core}, {device.freq_hz / 1e9:.2f} GHz"
    return f"{names} on {device.name}{host} ({clock}), {threads_text(record)}: {how}{valid}"


def threads_text(record: RunRecord) -> str:
    """`1 thread`, `1, 2 and 4 threads`."""
    *others, last = map(str, record.protocol.threads)
    numbers = f"{', '.join(others)} and {last}" if others else last
    return f"{numbers} thread{'' if record.protocol.threads == (1,) else 's'}"


def explanations(record: RunRecord) -> tuple[str, ...]:
    """One sentence or two about each figure that the record has."""
    return tuple([*latency_explanations(record), *energy_explanations(record), *remarks(record)])


def latency_explanations(record: RunRecord) -> Iterator[str]:
    """The protocol, or what the estimate is made of."""
    first = record.variants[0].latency
    if isinstance(first, EstimatedLatency):
        yield (
            f"Estimates: instructions of the real programs were counted exactly under QEMU and costed on a model of "
            f"{record.device.core} with its published instruction rates, for one thread and warm caches. "
            f"The true time may differ by {bound_text(first)} ({first.error_bound.basis})."
        )
        yield f"× vs {record.reference}: estimated latency of {record.reference} divided by that of the variant."
        return
    protocol = record.protocol
    cpus = sorted({cpu for variant in record.variants for cpu in variant.cpus or ()})
    where = f"processors {', '.join(map(str, cpus))}" if cpus else "any processor"
    yield (
        f"p50 is the median ± standard deviation of at least {protocol.min_runs} inferences and "
        f"{protocol.min_seconds:g} s of each variant after warm-up, taken in turns ({protocol.rounds} rounds) "
        f"on {where} with {threads_text(record)}; p99 is their 99th percentile."
    )
    several = len(protocol.threads) > 1
    of_minima = [
        f"{variant.name}{f' ({variant.threads})' if several else ''} {variant.speedup.of_minima:.2f}×"
        for variant in record.variants
        if variant.speedup is not None and variant.speedup.of_minima is not None
    ]
    if of_minima:
        yield (
            f"× vs {record.reference}: ratio of medians with its 95 % bootstrap interval. "
            f"Of the minima: {', '.join(of_minima)}."
        )
    started = [
        f"{variant.name} {variant.first_ms:.2f} ms and {variant.load_ms:.0f} ms"
        for variant in record.variants
        if variant.first_ms is not None and variant.load_ms is not None and variant.threads == protocol.threads[0]
    ]
    if started:
        yield f"First inference and load time (process start to model ready): {', '.join(started)}."
    if protocol.clock is not None:
        low, high = protocol.clock.lowest_hz / 1e9, protocol.clock.highest_hz / 1e9
        yield f"The processors ran at {low:.2f} to {high:.2f} GHz, timed with a chain of dependent additions."


def energy_explanations(record: RunRecord) -> Iterator[str]:
    """The sensor, its boundary and trust class, and the windows; or the sources of the estimate."""
    if record.power is not None:
        yield from _power(record.power)
    estimates = [variant.energy for variant in record.variants if isinstance(variant.energy, EstimatedEnergy)]
    if estimates:
        basis = "; ".join(dict.fromkeys(source for energy in estimates for source in energy.basis))
        yield (
            "Energy is an estimate (trust class E): published power of such a board at its input, times the latency. "
            f"Nothing was measured. Sources: {basis}."
        )
    if record.no_energy:
        yield f"No energy: {record.no_energy.rstrip('.')}."


def _power(power: Power) -> Iterator[str]:
    """How energy was measured. Trust classes are those of `TRUST`."""
    channels = f", channels {' + '.join(power.channels)}" if power.channels else ""
    yield (
        f"Energy: {power.source}{channels}; it sees {power.boundary.rstrip('.')}. Trust class {power.trust} of A to E: "
        f"{TRUST[power.trust]}."
    )
    yield (
        f"Power was sampled at {digits(power.sample_hz)} Hz ({power.requested_hz:g} Hz asked for) and integrated by "
        f"the trapezoidal rule over {power.windows} windows, as many of each variant, of a median of "
        f"{digits(power.window_seconds)} s. Total is all that was drawn, dynamic what was drawn above idle; intervals "
        f"are 95 % bootstrap intervals over windows."
    )
    idle = [
        f"{digits(watts)} W {when}"
        for watts, when in ((power.idle_before_w, "before"), (power.idle_after_w, "after"))
        if watts is not None
    ]
    sampling = (
        f"Sampling took {power.sampler_cpu_share * 100:.2g} % of one processor."
        if power.sampler_cpu_share is not None
        else ""
    )
    idling = f"Idle, with everything loaded: {', '.join(idle)}." if idle else ""
    if idling or sampling:
        yield " ".join(filter(None, (idling, sampling)))
    if power.alignment:
        yield f"Clocks: {power.alignment.rstrip('.')}."
    if power.settings:
        yield f"Sensor settings: {', '.join(f'{name} {value}' for name, value in power.settings.items())}."


def remarks(record: RunRecord) -> Iterator[str]:
    """What else there is to know, the record's own notes last."""
    if engines_apart(record):
        engines = dict.fromkeys(f"{variant.name}: {variant.engine}" for variant in record.variants)
        yield f"Engines: {'; '.join(engines)}."
    if any(layer.name == _ONNXRUNTIME and layer.kind == "measured" for layer in record.layers):
        yield f"Functions beside {_ONNXRUNTIME} are as its own profiler has them: in whole microseconds, slowed by it."
    yield "File: the whole bundle, runtime libraries included; of a baseline the model's file alone."
    yield from dict.fromkeys(f"{variant.name}: {variant.note}." for variant in record.variants if variant.note)
    yield from (f"Note: {note}." for note in record.notes)
