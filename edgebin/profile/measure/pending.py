"""A job that has not been brought home: `job.json` in its run folder, so that another process can pick it up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints, TypeAdapter, ValidationError

from edgebin.errors import InputError
from edgebin.profile.run_folder import RECORD_NAME

PENDING_NAME = "job.json"


@dataclass(frozen=True)
class Pending:
    """Where the job runs, as the user named the machine, and what it is called there (`edgebin.board.job`).

    `agent` is the agent's path there; `energy` what the user asked for; `bundles` the SHA-256 of each.
    """

    host: str
    job: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    agent: str
    energy: str
    bundles: tuple[str, ...]
    schema_version: Literal[1] = 1


_PENDING = TypeAdapter(Pending)


def pending_bytes(pending: Pending) -> bytes:
    """What `job.json` holds."""
    return _PENDING.dump_json(pending, indent=1) + b"\n"


def read_pending(folder: Path) -> Pending:
    """The job of a run folder.

    Raises:
        InputError: no run folder, one whose measurement is complete, or a damaged one.
    """
    path = folder / PENDING_NAME
    try:
        return _PENDING.validate_json(path.read_bytes(), extra="forbid")
    except OSError as error:
        if (folder / RECORD_NAME).exists():
            raise InputError(f"`{folder}` is complete: there is nothing to resume") from error
        raise InputError(
            f"`{folder}` is no run folder with a measurement to resume", hint="name the folder that `profile` named"
        ) from error
    except ValidationError as error:
        raise InputError(f"`{path}` is damaged: {error.errors()[0]['msg']}") from error
