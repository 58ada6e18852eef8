"""What is being profiled, and how: all of a record that the board's events do not say. Kept as `subject.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from edgebin.bundle.manifest import Operation
from edgebin.errors import InputError
from edgebin.profile.baselines.contender import Named
from edgebin.profile.record import Artefact, Device, Protocol
from edgebin.targets import Target

SUBJECT_NAME = "subject.json"


@dataclass(frozen=True)
class Side:
    """A contender of a session, in its order. `how` sets it apart from others of its name, which compete."""

    name: str
    engine: str
    file_bytes: int
    how: str = ""


@dataclass(frozen=True)
class Subject:
    """`sessions` are in the plan's order. `operations` are of each variant that is a bundle.

    `power_hz` is the rate that was asked for, `no_energy` says why none is measured, and `published` has the published
    power that stands in for a sensor then; None where there is none, or no energy was asked for. Times of an `emulated`
    machine say nothing of any board.
    """

    edgebin_version: str
    created_utc: str
    bundles: tuple[Artefact, ...]
    device: Device
    protocol: Protocol
    sessions: tuple[tuple[Side, ...], ...]
    operations: dict[str, tuple[Operation, ...]]
    notes: tuple[str, ...] = ()
    power_source: str | None = None
    power_hz: float = 100.0
    no_energy: str | None = None
    published: Target | None = None
    emulated: bool = False
    schema_version: Literal[1] = 1


def artefacts(ours: Sequence[Named]) -> tuple[Artefact, ...]:
    """The bundles, as a record names them."""
    bundles = [(side.bundle, side.name) for side in ours]
    return tuple(Artefact(bundle.path.name, bundle.sha256, bundle.size_bytes, name) for bundle, name in bundles)


def now_utc() -> str:
    """As records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


_SUBJECT = TypeAdapter(Subject)


def subject_bytes(subject: Subject) -> bytes:
    """What `subject.json` holds."""
    return _SUBJECT.dump_json(subject, indent=1) + b"\n"


def read_subject(folder: Path) -> Subject:
    """Reads it.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / SUBJECT_NAME
    try:
        return _SUBJECT.validate_json(path.read_bytes(), extra="forbid")
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except ValidationError as error:
        raise InputError(f"`{path}` is damaged: {error.errors()[0]['msg']}") from error
