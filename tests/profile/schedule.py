"""A run of two contenders by the clock of a made-up board, and what a meter beside it would have recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebin.profile.energy.joules import Idle, Window, windows_of

START_NS = 9_000_000_000_000
EPOCH_AHEAD_NS = 1_790_000_000_000_000_000
IDLE_W, BUSY_W, UNNAMED_W = 2.1, (5.2, 4.4), 3.0
RUNS = 37  # inferences that do not keep step with any sampler


@dataclass(frozen=True)
class Made:
    """Events of the run. `power(t_s)` is the true power, t_s in seconds after START_NS by the board's clock."""

    events: list[dict[str, Any]]
    power: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    end_s: float

    @property
    def windows(self) -> list[Window]:
        return windows_of(self.events)[0]

    @property
    def idles(self) -> list[Idle]:
        return windows_of(self.events)[1]

    def recorded(
        self, *, start_s: float, hz: float, drift: float = 0.0, noise_w: float = 0.05, seed: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Meter times from 0 and watts; the run begins at `start_s` of the meter and 8 s of idling come after it."""
        seconds = np.arange(0, start_s + self.end_s + 8, 1 / hz)
        watts = self.power((seconds - start_s) * (1 + drift))
        return seconds, watts + np.random.default_rng(seed).normal(0, noise_w, seconds.size)


def _moment(monotonic_ns: int) -> dict[str, int]:
    return {"monotonic_ns": monotonic_ns, "realtime_ns": monotonic_ns + EPOCH_AHEAD_NS}


def make_run(*, windows: int = 5, window_s: float = 2.0, idle_s: float = 4.0, idle_after_w: float = IDLE_W) -> Made:
    """Idle, windows of both in turn with small gaps between them, idle. Within a window power ripples."""
    events: list[dict[str, Any]] = [
        {"event": "begin", "agent": 1, **_moment(START_NS - 10**9), "board": {}},
        {"event": "session", "session": 0, "threads": 1, "cores": [3]},
    ]
    events += [
        {"event": "started", "session": 0, "contender": i, "name": name, "load_ns": 5, "hello": {}}
        for i, name in enumerate(("binary", "fp32"))
    ]
    stretches: list[tuple[float, float, float]] = []
    at = 0.0

    def stretch(seconds: float, watts: float) -> dict[str, int]:
        nonlocal at
        begin, at = at, at + seconds
        stretches.append((begin, at, watts))
        return {"begin_ns": START_NS + round(begin * 1e9), "end_ns": START_NS + round(at * 1e9)}

    events.append({"event": "idle", "session": 0, **stretch(idle_s, IDLE_W)})
    stretch(0.3, UNNAMED_W)
    for window in range(windows):
        for contender in (0, 1):
            times = stretch(window_s, BUSY_W[contender])
            events.append(
                {"event": "window", "session": 0, "window": window, "contender": contender, **times, "runs": RUNS}
            )
            stretch(0.05, UNNAMED_W)
    events.append({"event": "idle", "session": 0, **stretch(idle_s, idle_after_w)})
    end_ns = START_NS + round(at * 1e9) + 10**9
    events.append({"event": "end", **_moment(end_ns), "board": {}, "sampler": None})

    def power(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        watts = np.full(t_s.shape, IDLE_W)
        for begin, end, level in stretches:
            inside = (t_s >= begin) & (t_s < end)
            watts[inside] = level
            if level in BUSY_W:
                watts[inside] += 0.8 * np.sign(np.sin(2 * np.pi * (t_s[inside] - begin) / window_s * RUNS))
        return watts

    return Made(events, power, at)
