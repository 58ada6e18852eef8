"""Power over time: what a source of readings is, its samples, and energy between two moments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgebin.errors import InputError

Trust = Literal["A", "B", "C", "D", "E"]
_NS = 1e9


@dataclass(frozen=True)
class Channel:
    """One reading of a source. Those with `total` are added up to the power of the source."""

    label: str
    total: bool


@dataclass(frozen=True)
class PowerSource:
    """Where readings come from, as `agent inspect` describes it (docs/board.md, "Power").

    With `reading` "power" a sample is the power at its time; with "energy", where the machine counts energy, it is the
    mean power since the sample before.
    """

    source: str
    boundary: str
    trust: Trust
    channels: tuple[Channel, ...]
    reading: Literal["power", "energy"] = "power"
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_inspect(cls, board: Mapping[str, Any], source: str) -> PowerSource:
        """The source of this name in what `agent inspect` printed.

        Raises:
            InputError: the machine has no such source.
        """
        for entry in board.get("power_sources", ()):
            if entry["source"] == source:
                return cls(
                    source,
                    entry["boundary"],
                    entry["trust"],
                    tuple(Channel(channel["label"], channel["total"]) for channel in entry["channels"]),
                    entry.get("reading", "power"),
                    dict(entry["settings"]),
                )
        there = ", ".join(entry["source"] for entry in board.get("power_sources", ())) or "none"
        raise InputError(f"the machine has no power source `{source}`", hint=f"it has: {there}")


@dataclass(frozen=True)
class PowerTrace:
    """Samples of a source. `t_ns` int64 [n], rising; `watts` float64 [n, channels], NaN where one was not read."""

    source: PowerSource
    t_ns: NDArray[np.int64]
    watts: NDArray[np.float64]

    @classmethod
    def from_samples(
        cls, source: PowerSource, samples: Iterable[tuple[int, Sequence[float | None] | None]]
    ) -> PowerTrace:
        """From pairs of time in ns and watts per channel; None stands for what was not read.

        Raises:
            InputError: another number of channels than the source has, or times that do not rise.
        """
        pairs = list(samples)
        count = len(source.channels)
        unread = (None,) * count
        if any(values is not None and len(values) != count for _, values in pairs):
            raise InputError(f"samples of `{source.source}` do not have its {count} channels")
        t_ns = np.array([time for time, _ in pairs], dtype=np.int64)
        if np.any(np.diff(t_ns) <= 0):
            raise InputError(f"the times of the samples of `{source.source}` do not rise")
        watts = np.array([unread if values is None else tuple(values) for _, values in pairs], dtype=np.float64)
        return cls(source, t_ns, watts.reshape(len(pairs), count))

    @classmethod
    def from_lines(cls, source: PowerSource, lines: Iterable[str]) -> PowerTrace:
        """From the lines of a job's `power` (docs/board.md). A last line that was cut short is left out.

        Raises:
            InputError: other lines are not samples, or not samples of this source.
        """
        samples: list[tuple[int, Sequence[float | None] | None]] = []
        texts = [text for text in lines if text.strip()]
        for number, text in enumerate(texts):
            try:
                data = json.loads(text)
                samples.append((data["t_ns"], data["w"]))
            except (ValueError, KeyError, TypeError) as error:
                if number < len(texts) - 1:
                    raise InputError(
                        f"line {number + 1} of the power samples is not a sample: {text[:80]!r}"
                    ) from error
        return cls.from_samples(source, samples)

    def total(self) -> Readings:
        """The channels that make up the source's total, added; samples that lack one of them are left out."""
        added = self.watts[:, [channel.total for channel in self.source.channels]].sum(axis=1)
        read = np.isfinite(added)
        return Readings(self.t_ns[read], added[read], steps=self.source.reading == "energy")


@dataclass(frozen=True)
class Readings:
    """Power of one thing over time, all of it read: `t_ns` int64 [n], `watts` float64 [n].

    With `steps` a value holds since the sample before; otherwise power goes straight from sample to sample.
    """

    t_ns: NDArray[np.int64]
    watts: NDArray[np.float64]
    steps: bool = False

    def energy_j(self, begin_ns: int, end_ns: int) -> float:
        """Joules from `begin_ns` to `end_ns`: the trapezoid rule, with the power at both ends interpolated.

        Before the first and after the last sample the nearest value holds. NaN without any sample.
        """
        if self.t_ns.size == 0:
            return float("nan")
        # Seconds since the window's begin: in float64, times since boot in ns would lose what counts.
        inside = slice(*np.searchsorted(self.t_ns, (begin_ns, end_ns), side="right"))
        edges = np.array([begin_ns, end_ns], dtype=np.int64)
        times = np.concatenate((edges[:1], self.t_ns[inside], edges[1:]))
        seconds = (times - begin_ns) / _NS
        if self.steps:
            owner = np.searchsorted(self.t_ns, times[1:], side="left").clip(max=self.t_ns.size - 1)
            return float(np.sum(np.diff(seconds) * self.watts[owner]))
        at_edges = np.interp((edges - begin_ns) / _NS, (self.t_ns - begin_ns) / _NS, self.watts)
        values = np.concatenate((at_edges[:1], self.watts[inside], at_edges[1:]))
        return float(np.sum(np.diff(seconds) * (values[1:] + values[:-1])) / 2)

    def mean_w(self, begin_ns: int, end_ns: int) -> float:
        """Energy over time."""
        return self.energy_j(begin_ns, end_ns) / ((end_ns - begin_ns) / _NS)

    def within(self, begin_ns: int, end_ns: int) -> Readings:
        """Those of this stretch, both ends included."""
        inside = slice(np.searchsorted(self.t_ns, begin_ns, "left"), np.searchsorted(self.t_ns, end_ns, "right"))
        return Readings(self.t_ns[inside], self.watts[inside], self.steps)
