"""What a profile is made of, as it stands in `run.json`.

The texts under the fields are the descriptions in docs/schema/run.json.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from edgebin.errors import InputError
from edgebin.profile.quantities import Energy, Latency, Speedup, documented

SCHEMA_VERSION: Literal[3] = 3


@documented
@dataclass(frozen=True)
class Variant:
    """One way to run the model with so many threads: ours, or a baseline."""

    name: str
    """`binary` or another name of a bundle of ours, or a baseline such as `fp32`, `int8`."""
    engine: str
    """What ran it, with its version."""
    latency: Latency
    """Time of one inference."""
    speedup: Speedup | None
    """Against the reference; null where there is none."""
    file_bytes: int
    """Size of the whole bundle, runtime included; of a baseline the model's file alone."""
    peak_rss_bytes: int | None = None
    """The most memory that its process held."""
    load_ms: float | None = None
    """From process start to model ready."""
    first_ms: float | None = None
    """The first inference, which is in no other figure."""
    note: str = ""
    """What else to know about it, as part of a sentence."""
    threads: int = 1
    """Threads that it computed with."""
    cpus: tuple[int, ...] | None = None
    """The processors it was kept on; null where the scheduler chose."""
    energy: Energy | None = None
    """Energy of one inference; null where none was measured or estimated."""


@documented
@dataclass(frozen=True)
class Layer:
    """One function of a bundle, all its calls in an inference together."""

    name: str
    """The function, or the node as its runtime names it."""
    op: str
    """What kind of operation it is."""
    nodes: tuple[str, ...]
    """The ONNX nodes that it computes."""
    kind: Literal["measured", "estimate"]
    """Whether its time was measured or estimated."""
    latency_ms: float
    """Time of all its calls in one inference."""
    share: float
    """Of the inference, from 0 to 1."""
    calls: int
    """Calls in one inference."""
    cycles: float | None = None
    """Estimated cycles of all calls."""
    instructions: int | None = None
    """Instructions of all calls, counted exactly."""
    variant: str | None = None
    """The kernel path or tuning that computes it; null where it is not a kernel of ours."""
    bundle: str = "binary"
    """Name of the variant that it belongs to."""


@documented
@dataclass(frozen=True)
class Clock:
    """How fast a core really ran, by a chain of dependent additions: the extremes over the whole measurement."""

    lowest_hz: float
    """The slowest that was seen."""
    highest_hz: float
    """The fastest that was seen."""


@documented
@dataclass(frozen=True)
class Protocol:
    """How the latencies came about. For estimates only `threads` means anything."""

    threads: Annotated[tuple[int, ...], Field(min_length=1)]
    """All numbers of threads that were tried."""
    min_runs: int
    """Timed inferences of each variant, at least."""
    min_seconds: float
    """Time spent in them, at least."""
    warmup_seconds: float
    """Inferences before anything was timed, at least so long."""
    rounds: int
    """Rounds in which all variants took turns, for each number of threads, or more."""
    interleaved: bool
    """Whether the variants took turns."""
    clock: Clock | None = None
    """How fast the processors ran meanwhile."""


@documented
@dataclass(frozen=True)
class Power:
    """How energy was measured."""

    source: str
    """The sensor, as `agent inspect` lists it, or the external meter."""
    boundary: str
    """What the sensor sees of the board, and what not."""
    trust: Literal["A", "B", "C", "D", "E"]
    """From A, a meter at the board's input, to E, an estimate."""
    channels: tuple[str, ...]
    """Those that were added up."""
    requested_hz: float
    """Samples per second that were asked for."""
    sample_hz: float
    """Samples per second that came."""
    samples: int
    """Samples in all."""
    windows: int
    """Windows of energy, of all variants together."""
    window_seconds: float
    """Median length of a window."""
    idle_before_w: float | None = None
    """Power with everything loaded and nothing running, before the windows."""
    idle_after_w: float | None = None
    """The same after them."""
    sampler_cpu_share: float | None = None
    """What sampling took of one processor, from 0 to 1."""
    alignment: str | None = None
    """How the clock of an external meter was laid over the board's, and how uncertain that is."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What the sensor was set to, as it says itself."""


@documented
@dataclass(frozen=True)
class Environment:
    """The machine before and after, as its agent saw it (docs/board.md, "The board"), and the settings made for it."""

    before: dict[str, Any]
    """As `agent inspect` prints it, before anything ran."""
    after: dict[str, Any]
    """The same after everything."""
    tuning: tuple[dict[str, str], ...] = ()
    """What was set, what was there before and is there again."""


@documented
@dataclass(frozen=True)
class Artefact:
    """A bundle that was profiled. No path: that is nobody else's business."""

    name: str
    """The file's name."""
    sha256: str
    """Of the whole file, in hexadecimal digits."""
    bytes_: int
    """Size of the file."""
    variant: str = "binary"
    """Name of the variant that ran it."""


@documented
@dataclass(frozen=True)
class Device:
    """The machine the latencies are about: measured on it, or estimated for it."""

    target: str
    """What the bundles were compiled for."""
    name: str
    """The board's name in words."""
    core: str
    """Its processor core."""
    freq_hz: int
    """Nominal clock of the core."""
    system: str | None = None
    """Operating system and size of the machine; null for estimates."""
    host: str | None = None
    """What the user calls it (an ssh destination, a device's name); null for this host and for estimates."""


@documented
@dataclass(frozen=True)
class Validity:
    """Whether the figures may be trusted."""

    ok: bool
    """False: they must not be."""
    flags: tuple[str, ...] = ()
    """What is the matter, a name each, some followed by a colon and the variant that it is about. Some are only good to
    know, and leave `ok` true."""


@documented
@dataclass(frozen=True)
class RunRecord:
    """One profile: everything that `run.json` holds."""

    edgebin_version: str
    """Of the edgebin that profiled."""
    created_utc: str
    """When the record was made, in ISO 8601."""
    bundles: Annotated[tuple[Artefact, ...], Field(min_length=1)]
    """The bundles that were profiled."""
    device: Device
    """The machine the latencies are about."""
    protocol: Protocol
    """How the latencies came about."""
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)]
    """Bundles and baselines, each with every number of threads."""
    layers: tuple[Layer, ...]
    """Where the bundles spend their time, with the first number of threads."""
    validity: Validity
    """The verdict on the figures."""
    notes: tuple[str, ...] = ()
    """What else to know, a sentence each without its full stop."""
    power: Power | None = None
    """How energy was measured; null where it was not."""
    no_energy: str | None = None
    """Why no variant has an energy, where none has."""
    environment: Environment | None = None
    """The machine before and after; null for estimates."""
    schema_version: Literal[3] = SCHEMA_VERSION
    """Of this schema: other versions are refused."""

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
            return TypeAdapter(RunRecord).validate_json(json.dumps(dict(data)))
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
            data = json.loads(file.read_text(encoding="utf-8"), parse_float=_finite, parse_constant=_finite)
        except OSError as error:
            raise InputError(f"cannot read `{file}`: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"`{file}` is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise InputError(f"`{file}` is not a run record")
        try:
            return cls.from_dict(data)
        except InputError as error:
            raise InputError(f"`{file}`: {error.message}", hint=error.hint) from error


def _finite(text: str) -> float:
    """A number that JSON can hold; Python reads NaN and 1e999 as well."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a number")
    return value
