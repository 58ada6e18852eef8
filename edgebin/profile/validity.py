"""Whether the figures of a run may be trusted: pure functions on what was seen of the machine and on the figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from edgebin.board.state.inspect import Board
from edgebin.board.state.preflight import is_busy
from edgebin.profile.record import Validity, Variant
from edgebin.profile.statistics import summarize


@dataclass(frozen=True)
class Flag:
    """What is the matter, and what to do, in words.

    `invalid`: the figures must not be trusted; otherwise it is only good to know.
    """

    meaning: str
    action: str
    invalid: bool = True


FLAGS: Mapping[str, Flag] = MappingProxyType(
    {
        "throttled": Flag(
            "the board slowed itself down for heat, low voltage or too much current",
            "cool it, or give it a better power supply, and measure again",
        ),
        "clock_drift": Flag(
            "the clock of a processor changed by more than 2 % while it was measured (5 % on machines that do not say "
            "how fast theirs can be)",
            "hold it with `--tune`, or cool the board",
        ),
        "hot": Flag(
            "the board was so hot that its firmware limits the clock",
            "let it cool down, give it a heat sink or a fan",
        ),
        "load": Flag(
            "something else was running: half of the processors were busy before, or a tenth of the inferences took "
            "more than 1.5 times the median",
            "stop the other work, or wait for its end (`top` shows it)",
        ),
        "imprecise": Flag(
            "the 95 % interval of a speedup reaches further than a tenth of it",
            "measure longer: `--min-seconds`",
        ),
        "baseline_drift": Flag(
            "idle power before and after differs by more than 5 % or 0.1 W",
            "let the board settle first, and measure again",
        ),
        "too_few_samples": Flag(
            "an energy window has fewer than 20 readings of power",
            "measure longer, `--energy-seconds`, or sample faster, `--power-hz`",
        ),
        "missing_samples": Flag(
            "more than 1 % of an energy window or idle stretch has no readings of power",
            "stop what else the board is doing, and measure again",
        ),
        "repeated_samples": Flag(
            "power was read more often than its sensor renews it: the number of samples says more than there is",
            "lower `--power-hz`",
            invalid=False,
        ),
        "emulated": Flag(
            "the machine was an emulator, whose times say nothing of a board",
            "measure on the board, or profile without `--host` for an estimate",
        ),
        "below_nominal": Flag(
            "a processor ran at less than 98 % of its highest clock",
            "`--tune` makes it run at full speed, if the power mode allows that",
            invalid=False,
        ),
    }
)

_UNKNOWN = Flag("this edgebin does not know what that means", "read it with the edgebin that wrote it")
_PRECISE_REACH = 0.1  # of a ratio, to either side
_STEADY_CLOCK = 0.98
_STEADY_UNKNOWN_CLOCK = 0.95
_SPREAD = 1.5  # 90th percentile over median
# Source: Raspberry Pi documentation, "Frequency management and thermal control".
_HOT_PI3_PLUS_CELSIUS, _HOT_PI_CELSIUS = 60.0, 80.0


@dataclass(frozen=True)
class ClockReading:
    """The speed of one core, after its session's warm-up (event `clock`)."""

    session: int
    cpu: int
    hz: float


def judge(
    variants: Sequence[Variant],
    *,
    before: Board | None = None,
    after: Board | None = None,
    clocks: Sequence[ClockReading] = (),
    samples: Mapping[str, Sequence[float]] = MappingProxyType({}),
    others: Sequence[str] = (),
) -> Validity:
    """The verdict on a run.

    Args:
        variants: its figures.
        before: the machine before; None where nobody looked.
        after: the machine afterwards.
        clocks: readings after warm-up; those from before it say how an idle machine is clocked.
        samples: latencies of single inferences by the variant's name, in any unit.
        others: flags that somebody else has found, such as `baseline_drift`.
    """
    flags = [
        *_of_boards(before, after),
        *_of_clocks(clocks, after or before),
        *_of_load(before, samples),
        *_imprecise(variants),
        *others,
    ]
    return Validity(ok=not any(flag_of(flag).invalid for flag in flags), flags=tuple(dict.fromkeys(flags)))


def flag_of(flag: str) -> Flag:
    """What a flag of a record stands for; one that is about a variant has its name behind a colon."""
    return FLAGS.get(flag.partition(":")[0], _UNKNOWN)


def sentence(flag: str) -> str:
    """What is the matter and what to do, for people."""
    known, about = flag_of(flag), flag.partition(":")[2]
    return f"{flag.partition(':')[0]}{f' ({about})' if about else ''}: {known.meaning}; {known.action}"


def throttling_between(before: Board, after: Board) -> bool:
    """Whether a board held itself back at either moment, or at any time in between."""
    for board in (before, after):
        if board.throttled is not None and board.throttled.now:
            return True
    if before.throttled is not None and after.throttled is not None and after.throttled.ever & ~before.throttled.ever:
        return True
    counted = {alarm.name: alarm.count for alarm in before.over_current}
    return any(alarm.count > counted.get(alarm.name, alarm.count) for alarm in after.over_current)


def _of_boards(before: Board | None, after: Board | None) -> list[str]:
    seen = [board for board in (before, after) if board is not None]
    flags = []
    if seen and throttling_between(seen[0], seen[-1]):
        flags.append("throttled")
    if any(_is_hot(board) for board in seen):
        flags.append("hot")
    return flags


def _is_hot(board: Board) -> bool:
    model = board.model or ""
    if not model.startswith("Raspberry Pi"):
        return False
    limit = _HOT_PI3_PLUS_CELSIUS if model.startswith("Raspberry Pi 3 Model B Plus") else _HOT_PI_CELSIUS
    return any(temperature.celsius >= limit for temperature in board.temperatures)


def _of_clocks(clocks: Sequence[ClockReading], board: Board | None) -> list[str]:
    """A core is compared with itself in one session: boost clocks depend on how many others are busy.

    Where the machine does not say how fast a core can run, as virtual machines, its clock is nobody's to hold here:
    there it may change by more before a comparison in turns is harmed.
    """
    of_core = defaultdict(list)
    for reading in clocks:
        of_core[reading.session, reading.cpu].append(reading.hz)
    flags = []
    nominal = {cpu.cpu: cpu.max_hz for cpu in board.cpus if cpu.max_hz} if board else {}
    for (_, cpu), hz in of_core.items():
        if min(hz) < (_STEADY_CLOCK if cpu in nominal else _STEADY_UNKNOWN_CLOCK) * max(hz):
            flags.append("clock_drift")
            break
    if any(max(hz) < _STEADY_CLOCK * nominal.get(cpu, 0) for (_, cpu), hz in of_core.items()):
        flags.append("below_nominal")
    return flags


def _of_load(before: Board | None, samples: Mapping[str, Sequence[float]]) -> list[str]:
    flags = ["load"] if before is not None and is_busy(before) else []
    for name, values in samples.items():
        if values:
            summary = summarize(values)
            if summary.p90 > _SPREAD * summary.p50:
                flags.append(f"load:{name}")
    return flags


def _imprecise(variants: Sequence[Variant]) -> list[str]:
    """Of a ratio whose 95 % interval reaches further than a tenth of it to either side."""
    flags = []
    for variant in variants:
        speedup = variant.speedup
        if speedup is None or speedup.ci95_low is None or speedup.ci95_high is None:
            continue
        reach = max(speedup.of_medians - speedup.ci95_low, speedup.ci95_high - speedup.of_medians)
        if reach > _PRECISE_REACH * speedup.of_medians:
            flags.append(f"imprecise:{variant.name}")
    return flags
