"""Latency, energy and speedup as figures of a record: units in the names, each says what `kind` it is.

The texts under the fields are the descriptions in docs/schema/run.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field

Class = TypeVar("Class")
Positive = Annotated[float, Field(gt=0)]


def documented(class_: type[Class]) -> type[Class]:
    """Takes the texts under a data class's fields into its JSON schema; reading it refuses unknown fields and NaN."""
    config = ConfigDict(use_attribute_docstrings=True, allow_inf_nan=False, extra="forbid")
    class_.__pydantic_config__ = config  # type: ignore[attr-defined]
    return class_


@documented
@dataclass(frozen=True)
class MeasuredLatency:
    """Timings of single inferences on the machine that `RunRecord.device` names, after warm-up."""

    runs: int
    """Inferences that were timed."""
    p50_ms: Positive
    """The median."""
    p90_ms: Positive
    """Nine of ten inferences took no longer."""
    p99_ms: Positive
    """Ninety-nine of a hundred inferences took no longer."""
    min_ms: Positive
    """The shortest."""
    mean_ms: Positive
    """The arithmetic mean."""
    stdev_ms: float
    """Standard deviation of single inferences, not of the mean."""
    p50_ci95_ms: tuple[float, float] | None = None
    """The 95 % bootstrap interval of the median, over rounds."""
    p90_ci95_ms: tuple[float, float] | None = None
    """That of the 90th percentile."""
    p99_ci95_ms: tuple[float, float] | None = None
    """That of the 99th percentile."""
    kind: Literal["measured"] = "measured"
    """Tells a measurement from an estimate."""


@documented
@dataclass(frozen=True)
class ErrorBound:
    """The true value lies between estimate·(1 + low) and estimate·(1 + high), as far as `basis` can tell."""

    low: float
    """The most that an estimate is too high, as a negative fraction of it."""
    high: float
    """The most that an estimate is too low, as a fraction of it."""
    basis: str
    """What the bound was found from."""


@documented
@dataclass(frozen=True)
class EstimatedLatency:
    """Cycles of exactly counted instructions on a model of a core."""

    p50_ms: Positive
    """The estimate of one inference with warm caches."""
    cycles: float
    """Cycles that the model of the core makes of the instructions."""
    instructions: int
    """Instructions that one inference executes, counted exactly."""
    error_bound: ErrorBound
    """How far off the estimate may be."""
    limits: dict[str, float]
    """Cycles by what limited them, such as `slots`, `vector`, `load`, `latency`."""
    kind: Literal["estimate"] = "estimate"
    """Tells an estimate from a measurement."""


Latency = MeasuredLatency | EstimatedLatency


@documented
@dataclass(frozen=True)
class Speedup:
    """How many times faster than the variant that `RunRecord.reference` names."""

    of_medians: Positive
    """Ratio of the medians."""
    of_minima: float | None = None
    """Ratio of the shortest inferences."""
    ci95_low: float | None = None
    """Lower end of the 95 % bootstrap interval of the ratio of medians, over rounds."""
    ci95_high: float | None = None
    """Its upper end."""


@documented
@dataclass(frozen=True)
class MeasuredEnergy:
    """Energy of one inference, within the boundary that `RunRecord.power` names. Intervals are over windows."""

    total_j_per_inference: float
    """All that was drawn meanwhile, idle power included."""
    dynamic_j_per_inference: float | None
    """What was drawn above idle; null without a baseline of idling."""
    total_ci95_j: tuple[float, float]
    """The 95 % bootstrap interval of the total, over windows."""
    dynamic_ci95_j: tuple[float, float] | None
    """The 95 % bootstrap interval of the dynamic part, over windows."""
    mean_w: float
    """Mean power within the windows."""
    peak_w: float
    """The largest single sample within the windows."""
    windows: int
    """Windows that were integrated."""
    inferences: int
    """Inferences in all of them."""
    kind: Literal["measured"] = "measured"
    """Tells a measurement from an estimate."""


@documented
@dataclass(frozen=True)
class EstimatedEnergy:
    """From published power of such a board, times the latency: a range, at the board's input."""

    total_low_j_per_inference: float
    """The lower end, idle power included."""
    total_high_j_per_inference: float
    """The upper end, idle power included."""
    mean_low_w: float
    """Power that the lower end stands on."""
    mean_high_w: float
    """Power that the upper end stands on."""
    basis: tuple[str, ...]
    """The sources of the published figures."""
    kind: Literal["estimate"] = "estimate"
    """Tells an estimate from a measurement."""


Energy = MeasuredEnergy | EstimatedEnergy
