"""Which source of power a profile reads, or why none."""

from __future__ import annotations

from dataclasses import dataclass

from edgebin.board.state.inspect import Board, PowerSource
from edgebin.errors import InputError
from edgebin.profile.options import AUTO, CSV_PREFIX, METER, OFF, Options

# Sensors that only a user can tell from those of a battery or a disk.
_NAMED_ONLY = "hwmon:"


@dataclass(frozen=True)
class PowerChoice:
    """`source` is None where nothing is sampled; `windows` says whether energy windows are run, for a meter too.

    `estimable`: what was published of such boards may stand in, as a range.
    """

    source: str | None
    windows: bool
    hz: float
    no_energy: str | None = None
    estimable: bool = False


def choose_power(options: Options, board: Board) -> PowerChoice:
    """What `options.energy` means on this board.

    Raises:
        InputError: the board has no source of this name, or it cannot be read.
    """
    if options.energy == OFF:
        return PowerChoice(None, windows=False, hz=options.power_hz, no_energy="energy was not asked for")
    if options.energy == METER or options.energy.startswith(CSV_PREFIX):
        waiting = "the log of the external meter has not been read yet: `edgebin meter` does"
        return PowerChoice(None, windows=True, hz=options.power_hz, no_energy=waiting)
    if options.energy == AUTO:
        readable = [s for s in board.power_sources if s.readable and not s.source.startswith(_NAMED_ONLY)]
        if not readable:
            return PowerChoice(None, windows=False, hz=options.power_hz, no_energy=_why_none(board), estimable=True)
        return _sampled(min(readable, key=lambda source: source.trust), options)
    source = next((source for source in board.power_sources if source.source == options.energy), None)
    if source is None:
        there = ", ".join(source.source for source in board.power_sources) or "none"
        raise InputError(f"this machine has no power source `{options.energy}`", hint=f"it has: {there}")
    if not source.readable:
        raise InputError(f"the power source `{source.source}` cannot be read: {source.problem}")
    return _sampled(source, options)


def _sampled(source: PowerSource, options: Options) -> PowerChoice:
    """Not more often than the sensor has something new to say."""
    interval_ms = source.settings.get("update_interval_ms")
    slowest = 1000 / interval_ms if isinstance(interval_ms, int | float) and interval_ms > 0 else options.power_hz
    return PowerChoice(source.source, windows=True, hz=min(options.power_hz, slowest))


def _why_none(board: Board) -> str:
    named = [source.source for source in board.power_sources if source.readable]
    locked = [f"`{s.source}` cannot be read ({s.problem})" for s in board.power_sources if not s.readable]
    if named:
        return f"this machine has only sensors that have to be named: `--energy {named[0]}`"
    if locked:
        return f"no sensor of power can be read: {'; '.join(locked)}"
    return "this machine has no sensor of power; an external meter can measure it: `--energy meter`"
