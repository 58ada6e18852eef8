"""What the flags of an invalid measurement mean, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass

from edgebin.profile.record import RunRecord


@dataclass(frozen=True)
class Reason:
    """Why figures must not be trusted. `advice` is one action."""

    flag: str
    meaning: str
    advice: str


_KNOWN = {
    "imprecise": ("The interval of the speedup reaches further than a tenth of it.", "Stop what else runs there."),
    "throttled": ("The processor was slowed down to protect itself.", "Cool the board, or use a stronger supply."),
    "under-voltage": ("The supply voltage fell too low.", "Use a stronger supply and a short cable."),
    "over-current": ("The board's current limit was reached.", "Use a stronger supply, or a lower power mode."),
    "temperature": ("The processor came too close to its temperature limit.", "Cool the board."),
    "clock": ("The processor did not keep its clock.", "Cool the board; `--tune` keeps the clock steady."),
    "load": ("Other programs used the processor meanwhile.", "Stop them."),
    "baseline-drift": ("Idle power before and after differ.", "Let the board come to rest first."),
    "unsettled": ("Warm-up ended before the times had settled.", "Stop what else runs there."),
    "sampler": (
        "Power was sampled too slowly or with gaps.",
        "Lower the rate of sampling, or leave a processor to it.",
    ),
}
_SYNONYMS = {"clock-drift": "clock", "drift": "clock", "busy": "load", "undervoltage": "under-voltage"}


def reasons(record: RunRecord) -> tuple[Reason, ...]:
    """One for each flag; flags that this edgebin does not know speak for themselves."""
    return tuple(_reason(flag) for flag in record.validity.flags)


def _reason(flag: str) -> Reason:
    word = flag.partition(":")[0].replace("_", "-")
    name = _SYNONYMS.get(word, word)
    meaning, advice = _KNOWN.get(name, ("This was seen during the measurement.", "Remove the cause."))
    return Reason(flag, meaning, advice)
