"""Latency, energy and speedup as figures of a record: units in the names, each says what `kind` it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MeasuredLatency:
    """Timings of single inferences on the machine that `RunRecord.device` names, after warm-up.

    `p50_ci95_ms` is the 95 % bootstrap interval of the median, over rounds.
    """

    runs: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    min_ms: float
    mean_ms: float
    stdev_ms: float
    p50_ci95_ms: tuple[float, float] | None = None
    kind: Literal["measured"] = "measured"


@dataclass(frozen=True)
class ErrorBound:
    """The true value lies between estimate·(1 + low) and estimate·(1 + high), as far as `basis` can tell."""

    low: float
    high: float
    basis: str


@dataclass(frozen=True)
class EstimatedLatency:
    """Cycles of exactly counted instructions on a model of a core. `limits`: cycles by what limited them."""

    p50_ms: float
    cycles: float
    instructions: int
    error_bound: ErrorBound
    limits: dict[str, float]
    kind: Literal["estimate"] = "estimate"


Latency = MeasuredLatency | EstimatedLatency


@dataclass(frozen=True)
class Speedup:
    """How many times faster than `RunRecord.reference`.

    The interval is the 95 % bootstrap interval of the ratio of medians.
    """

    of_medians: float
    of_minima: float | None = None
    ci95_low: float | None = None
    ci95_high: float | None = None


@dataclass(frozen=True)
class MeasuredEnergy:
    """Energy of one inference, within the boundary that `RunRecord.power` names.

    Total is all that was drawn meanwhile, dynamic what was drawn above idle (None without a baseline of idling). The
    intervals are 95 % bootstrap intervals over windows.
    """

    total_j_per_inference: float
    dynamic_j_per_inference: float | None
    total_ci95_j: tuple[float, float]
    dynamic_ci95_j: tuple[float, float] | None
    mean_w: float
    peak_w: float
    windows: int
    inferences: int
    kind: Literal["measured"] = "measured"


@dataclass(frozen=True)
class EstimatedEnergy:
    """From published power of such a board, times the latency: a range, at the board's input. `basis`: the sources."""

    total_low_j_per_inference: float
    total_high_j_per_inference: float
    mean_low_w: float
    mean_high_w: float
    basis: tuple[str, ...]
    kind: Literal["estimate"] = "estimate"


Energy = MeasuredEnergy | EstimatedEnergy
