"""What a profile is made of, as it stands in `run.json` (schema: docs/schema/run.json)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from edgebin.errors import InputError
from edgebin.profile.quantities import Energy, Latency, Speedup

SCHEMA_VERSION: Literal[3] = 3


@dataclass(frozen=True)
class Variant:
    """One way to run the model with so many threads: ours, or a baseline. `load_ms`: process start to model ready.

    `cpus` are the processors it was kept on, None where the scheduler chose.
    """

    name: str
    engine: str
    latency: Latency
    speedup: Speedup | None
    file_bytes: int
    peak_rss_bytes: int | None = None
    load_ms: float | None = None
    first_ms: float | None = None
    note: str = ""
    threads: int = 1
    cpus: tuple[int, ...] | None = None
    energy: Energy | None = None


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
class Clock:
    """How fast a core really ran, by a chain of dependent additions: the extremes over the whole measurement."""

    lowest_hz: float
    highest_hz: float


@dataclass(frozen=True)
class Protocol:
    """How the latencies came about. For estimates only `threads` means anything.

    `threads` are all numbers of threads that were tried, each with `rounds` rounds or more.
    """

    threads: tuple[int, ...]
    min_runs: int
    min_seconds: float
    warmup_seconds: float
    rounds: int
    interleaved: bool
    clock: Clock | None = None


@dataclass(frozen=True)
class Power:
    """How energy was measured. `trust` from A, a meter at the board's input, to E, an estimate.

    `channels` are those that were added up. `sample_hz` is the rate that was reached, `sampler_cpu_share` what sampling
    took of one processor. `alignment` says how the clock of an external meter was laid over the board's, and how
    uncertain that is.
    """

    source: str
    boundary: str
    trust: Literal["A", "B", "C", "D", "E"]
    channels: tuple[str, ...]
    requested_hz: float
    sample_hz: float
    samples: int
    windows: int
    window_seconds: float
    idle_before_w: float | None = None
    idle_after_w: float | None = None
    sampler_cpu_share: float | None = None
    alignment: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Environment:
    """The machine before and after, as its agent saw it (docs/board.md, "The board"), and the settings made for it.

    `tuning`: what was set, what was there before and is there again.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    tuning: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Artefact:
    """A bundle that was profiled, as the variant of this name. No path: that is nobody else's business."""

    name: str
    sha256: str
    bytes_: int
    variant: str = "binary"


@dataclass(frozen=True)
class Device:
    """The machine the latencies are about: measured on it, or estimated for it.

    `host` is what the user calls it (an ssh destination, a device's name), None for this host and for estimates.
    """

    target: str
    name: str
    core: str
    freq_hz: int
    system: str | None = None
    host: str | None = None


@dataclass(frozen=True)
class Validity:
    """Whether the figures may be trusted.

    `flags` says what is the matter (`edgebin.profile.validity.FLAGS`). Some are only good to know, and leave `ok` true.
    """

    ok: bool
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """One profile: everything `run.json` holds. `no_energy` says why no variant has an energy, where none has."""

    edgebin_version: str
    created_utc: str
    bundles: tuple[Artefact, ...]
    device: Device
    protocol: Protocol
    variants: tuple[Variant, ...]
    layers: tuple[Layer, ...]
    validity: Validity
    notes: tuple[str, ...] = ()
    power: Power | None = None
    no_energy: str | None = None
    environment: Environment | None = None
    schema_version: Literal[3] = SCHEMA_VERSION

    @property
    def kind(self) -> Literal["measured", "estimate"]:
        """What the latencies of this record are."""
        return self.variants[0].latency.kind

    @property
    def reference(self) -> str:
        """The variant that speedups are against: fp32, or the first of several where that was not profiled."""
        return "fp32" if len(self.variants) == 1 or self.variant("fp32") else self.variants[0].name

    def variant(self, name: str, threads: int | None = None) -> Variant | None:
        """The variant of this name, if it was profiled: with so many threads, or the first of them."""
        return next((v for v in self.variants if v.name == name and threads in (None, v.threads)), None)

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
