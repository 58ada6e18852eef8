"""What a user may ask of a profile: one set of options for this host, a board and a fleet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgebin.errors import InputError

# Of `energy`: the best source that the board names itself; none; an external meter whose log comes later, or is named.
AUTO, OFF, METER, CSV_PREFIX = "auto", "off", "meter", "csv:"


@dataclass(frozen=True)
class Options:
    """How to measure.

    Args:
        baselines: of `edgebin.profile.baselines.baseline.BASELINES`; empty for none.
        baseline_model: an ONNX file to use as the twin; otherwise one is built from the bundle's model configuration.
        threads: each number of threads is a session of its own, the same for all that take part in it.
        pin: True keeps a session on the last processors, a tuple on these, False leaves it to the scheduler.
        min_runs: timed inferences of each contender, at least.
        min_seconds: time spent in them, at least.
        warmup_seconds: before that, at least.
        energy: `auto`, `off`, `meter`, `csv:FILE`, or a source as the board names it (docs/board.md, "The board").
        energy_windows: of each contender.
        energy_seconds: of each window, at least.
        idle_seconds: before and after the windows.
        power_hz: samples a second.
        tune: settings while measuring, such as `governor performance`; all are put back.
        root: a folder on the board that stands in for its /sys, /proc and /dev, for recorded and synthetic boards.
    """

    baselines: tuple[str, ...] = ("fp32", "int8")
    baseline_model: Path | None = None
    threads: tuple[int, ...] = (1,)
    pin: bool | tuple[int, ...] = True
    min_runs: int = 50
    min_seconds: float = 5.0
    warmup_seconds: float = 1.0
    energy: str = AUTO
    energy_windows: int = 5
    energy_seconds: float = 10.0
    idle_seconds: float = 20.0
    power_hz: float = 100.0
    tune: tuple[str, ...] = ()
    root: str | None = None

    def __post_init__(self) -> None:
        if not self.threads or min(self.threads) < 1 or len(set(self.threads)) != len(self.threads):
            raise InputError(
                f"threads cannot be {', '.join(map(str, self.threads)) or 'nothing'}", hint="such as 1, or 1,2,4"
            )
        if isinstance(self.pin, tuple) and len(self.pin) < max(self.threads):
            raise InputError(
                f"{max(self.threads)} threads on {len(self.pin)} processors",
                hint="name as many processors as there are threads",
            )

    @property
    def meter_log(self) -> Path | None:
        """The file of `csv:FILE`."""
        return Path(self.energy.removeprefix(CSV_PREFIX)) if self.energy.startswith(CSV_PREFIX) else None
