"""What a profile is made of, as it stands in `run.json`: units in the names, each latency says what `kind` it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from edgebin.errors import InputError

SCHEMA_VERSION: Literal[2] = 2


@dataclass(frozen=True)
class MeasuredLatency:
    """Timings of single inferences on the machine that `RunRecord.device` names, after warm-up."""

    runs: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    min_ms: float
    mean_ms: float
    stdev_ms: float
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
class Variant:
    """One way to run the model: ours, or a baseline. `load_ms`: process start to model ready."""

    name: str
    engine: str
    latency: Latency
    speedup: Speedup | None
    file_bytes: int
    peak_rss_bytes: int | None = None
    load_ms: float | None = None
    first_ms: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Layer:
    """One function of a bundle, all its calls in an inference together. `share` is of the inference.

    `bundle` is the name of the variant that it belongs to; `op` is what kind of operation it is, `nodes` are the ONNX
    nodes it computes, `variant` is the kernel path or tuning that does it.
    """

    name: str
    op: str
    nodes: tuple[str, ...]
    kind: Literal["measured", "estimate"]
    latency_ms: float
    share: float
    calls: int
    cycles: float | None = None
    instructions: int | None = None
    variant: str | None = None
    bundle: str = "binary"


@dataclass(frozen=True)
class Protocol:
    """How the figures came about. For estimates only `threads` means anything."""

    threads: int
    pinned_cpus: tuple[int, ...] | None
    min_runs: int
    min_seconds: float
    warmup_seconds: float
    rounds: int
    interleaved: bool


@dataclass(frozen=True)
class Artefact:
    """A bundle that was profiled, as the variant of this name. No path: that is nobody else's business."""

    name: str
    sha256: str
    bytes_: int
    variant: str = "binary"


@dataclass(frozen=True)
class Device:
    """The machine the latencies are about: measured on it, or estimated for it."""

    target: str
    name: str
    core: str
    freq_hz: int
    system: str | None = None


@dataclass(frozen=True)
class Validity:
    """Whether the figures may be trusted; `flags` says why not."""

    ok: bool
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """One profile: everything `run.json` holds."""

    edgebin_version: str
    created_utc: str
    bundles: tuple[Artefact, ...]
    device: Device
    protocol: Protocol
    variants: tuple[Variant, ...]
    layers: tuple[Layer, ...]
    validity: Validity
    notes: tuple[str, ...] = ()
    schema_version: Literal[2] = SCHEMA_VERSION

    @property
    def kind(self) -> Literal["measured", "estimate"]:
        """What the latencies of this record are."""
        return self.variants[0].latency.kind

    @property
    def reference(self) -> str:
        """The variant that speedups are against: fp32, or the first of several where that was not profiled."""
        return "fp32" if len(self.variants) == 1 or self.variant("fp32") else self.variants[0].name

    def variant(self, name: str) -> Variant | None:
        """The variant of this name, if it was profiled."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """What `run.json` holds, as plain lists and dictionaries."""
        plain = dataclasses.asdict(self)
        return {"schema_version": plain.pop("schema_version"), **plain}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunRecord:
        """Reads what `to_dict` wrote.

        Raises:
            InputError: not such a record, or one of another schema version.
        """
        if data.get("schema_version") != SCHEMA_VERSION:
            raise InputError(
                f"run record of schema version {data.get('schema_version')!r}, this edgebin reads {SCHEMA_VERSION}",
                hint="profile again with this edgebin",
            )
        try:
            return TypeAdapter(RunRecord).validate_json(json.dumps(dict(data)), extra="forbid")
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
            raise InputError("not a run record: " + "; ".join(problems[:5])) from error

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """The record of a run folder, or of a `run.json`.

        Raises:
            InputError: no such file, or not a run record.
        """
        file = path / "run.json" if path.is_dir() else path
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"cannot read `{file}`: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"`{file}` is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise InputError(f"`{file}` is not a run record")
        return cls.from_dict(data)
