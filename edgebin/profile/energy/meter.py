"""Energy from an external meter: its log beside a run whose windows ran while it recorded. Trust class A."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgebin.profile.energy.alignment import align
from edgebin.profile.energy.joules import ENERGY_FLAGS, Contender, EnergyMeasurement, measure_energy, windows_of
from edgebin.profile.energy.meter_log import MeterLog, read_meter_log
from edgebin.profile.energy.trace import Channel, PowerSource, PowerTrace
from edgebin.profile.measure.events import read_events
from edgebin.profile.record import RunRecord, Validity
from edgebin.profile.run_folder import EVENTS_NAME, POWER_NAME, RECORD_NAME, add_files, record_bytes
from edgebin.profile.validity import flag_of

SOURCE = PowerSource(
    source="meter",
    boundary="what the meter is wired to, as a rule the whole board at its input",
    trust="A",
    channels=(Channel("input", total=True),),
)
_STORED_HZ = 100.0


@dataclass(frozen=True)
class Metered:
    """What a log says of a run, and its samples by the board's clock."""

    measurement: EnergyMeasurement
    trace: PowerTrace

    def lines(self) -> list[str]:
        """The samples as a job's `power` has them (docs/board.md), averaged to some 100 a second."""
        t_ns, watts = self.trace.t_ns, self.trace.watts[:, 0]
        starts = np.arange(0, t_ns.size, max(1, round(self.measurement.power.sample_hz / _STORED_HZ)))
        counts = np.diff(np.append(starts, t_ns.size))
        times = t_ns[starts] + np.add.reduceat(t_ns - np.repeat(t_ns[starts], counts), starts) // counts
        means = np.add.reduceat(watts, starts) / counts
        return [f'{{"t_ns":{t},"w":[{w:.9g}]}}' for t, w in zip(times.tolist(), means.tolist(), strict=True)]


def measure_log(log: MeterLog, events: Sequence[Mapping[str, Any]]) -> Metered:
    """Energies of a run, given as the events of its job, from a log of the same time.

    Raises:
        InputError: no energy windows were run, or the log cannot be laid over them.
    """
    windows, idles = windows_of(events)
    clocks = [
        {key: int(event[key]) for key in ("monotonic_ns", "realtime_ns")}
        for event in events
        if event.get("event") in ("begin", "end")
    ]
    clock = align(log, windows, idles, clocks)
    trace = PowerTrace(SOURCE, clock.board_ns(log.seconds), log.watts[:, None])
    found = measure_energy(trace, windows, idles, requested_hz=log.hz, alignment=clock.description)
    if clock.uncertainty_s is None:
        return Metered(found, trace)
    moved = [
        measure_energy(
            dataclasses.replace(trace, t_ns=trace.t_ns + round(shift_s * 1e9)), windows, idles, requested_hz=log.hz
        ).energies
        for shift_s in (-clock.uncertainty_s, clock.uncertainty_s)
    ]
    share = max(
        abs(other[key].total_j_per_inference / energy.total_j_per_inference - 1)
        for key, energy in found.energies.items()
        for other in moved
    )
    said = f"{clock.description}; at either end of that uncertainty energies differ by {share:.1%} or less"
    return Metered(dataclasses.replace(found, power=dataclasses.replace(found.power, alignment=said)), trace)


def add_meter_log(folder: Path, log: Path, *, volts: float | None = None) -> RunRecord:
    """Adds the energies that a log says to the record of a run folder, and its samples to the folder.

    Raises:
        InputError: no run folder of a measured profile, one without energy windows, or a log that does not fit it.
    """
    record = RunRecord.read(folder)
    events = [event.model_dump() for event in read_events(folder / EVENTS_NAME)]
    metered = measure_log(read_meter_log(log, volts=volts), events)
    measured = metered.measurement
    keys = _keys(events)
    variants = tuple(
        dataclasses.replace(variant, energy=measured.energies.get(keys.get((variant.name, variant.threads), (-1, -1))))
        for variant in record.variants
    )
    flags = (*(flag for flag in record.validity.flags if flag not in ENERGY_FLAGS), *measured.flags)
    changed = dataclasses.replace(
        record,
        variants=variants,
        power=measured.power,
        no_energy=None,
        validity=Validity(ok=not any(flag_of(flag).invalid for flag in flags), flags=flags),
    )
    samples = "".join(f"{line}\n" for line in metered.lines())
    add_files(folder, {POWER_NAME: samples.encode(), RECORD_NAME: record_bytes(changed)})
    return changed


def _keys(events: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], Contender]:
    """Session and contender by name and number of threads, of those that had windows."""
    threads = {event["session"]: event["threads"] for event in events if event.get("event") == "session"}
    measured = {(window.session, window.contender) for window in windows_of(events)[0]}
    return {
        (event["name"], threads[event["session"]]): (event["session"], event["contender"])
        for event in events
        if event.get("event") == "started" and (event["session"], event["contender"]) in measured
    }
