"""What a machine is and how it does, as its agent says: docs/board.md, "The board, as `inspect` has it"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgebin.board.transports.transport import Transport
from edgebin.errors import BoardError

# An inspection takes milliseconds; nvpmodel and sudo, which it may have to ask, are given up after ten seconds each.
_TIMEOUT_S = 60.0


class _Answer(BaseModel):
    # Strict and complete: what an agent of another version says must not pass for something else.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Cpu(_Answer):
    """A processor that is switched on. `max_hz`: what the hardware can; `current_hz`: what the kernel asked for."""

    cpu: int
    implementer: int | None
    part: int | None
    max_hz: int | None
    current_hz: int | None
    governor: str | None


class Temperature(_Answer):
    """One thermal zone."""

    name: str
    celsius: float


class Throttled(_Answer):
    """Bits of a Raspberry Pi's firmware: 0 to 3 is so now, 16 to 19 has been so since it was switched on.

    In fours from each: under-voltage, clock capped, throttled, soft temperature limit.
    Source: Raspberry Pi documentation, "vcgencmd get_throttled".
    """

    source: str
    bits: int = Field(ge=0)

    @property
    def now(self) -> int:
        """Bits 0 to 3."""
        return self.bits & 0xF

    @property
    def ever(self) -> int:
        """Bits 16 to 19, as 0 to 3."""
        return self.bits >> 16 & 0xF


class OverCurrent(_Answer):
    """How often a Jetson has throttled itself for one of its over-current alarms, since it was switched on."""

    name: str
    count: int


class Nvpmodel(_Answer):
    """A Jetson's power mode. The name is nvpmodel's, None where its configuration does not say."""

    mode: int
    name: str | None


class Changeable(_Answer):
    """What `--tune` could use: `sudo` is whether it works without a password."""

    governor_writable: bool
    sudo: bool
    nvpmodel: bool
    jetson_clocks: bool


class Channel(_Answer):
    """One value of a power source. The source's total is the sum of its channels with `total`."""

    label: str
    total: bool


class PowerSource(_Answer):
    """A sensor of power. `problem` says why it cannot be read, and what would help.

    With `reading` "energy" it counts energy, and a sample is the mean power since the one before.
    """

    source: str
    readable: bool
    problem: str | None
    boundary: str
    trust: Literal["A", "B", "C", "D", "E"]
    reading: Literal["power", "energy"]
    settings: dict[str, Any]
    channels: tuple[Channel, ...]


class Board(_Answer):
    """A machine, at the moment when it was asked. What it does not say is None, or empty.

    `machine` is what its kernel calls it, `userland_bits` and `glibc` what programs find there: a bundle needs 64 and
    a C library for this machine. `features` are named as in `edgebin.targets`. `left_tuning`: jobs that were killed
    and have left settings behind.
    """

    model: str | None
    machine: str
    kernel: str
    os: str | None
    userland_bits: Literal[32, 64] | None
    glibc: str | None
    hwcap: int
    hwcap2: int
    features: tuple[str, ...]
    cpus: tuple[Cpu, ...]
    page_bytes: int
    memory_total_bytes: int | None
    memory_available_bytes: int | None
    disk_free_bytes: int | None
    load_1min: float | None
    busy_processors: float | None
    temperatures: tuple[Temperature, ...]
    throttled: Throttled | None
    over_current: tuple[OverCurrent, ...]
    nvpmodel: Nvpmodel | None
    firmware: str | None
    user: str
    groups: tuple[str, ...]
    tuning: Changeable
    left_tuning: tuple[str, ...]
    power_sources: tuple[PowerSource, ...]


def parse_board(answer: str | bytes | Mapping[str, Any], *, name: str = "the board") -> Board:
    """The agent's answer, checked; text, or parsed already, as in an event.

    Raises:
        BoardError: it is not such an answer.
    """
    text = json.dumps(dict(answer)) if isinstance(answer, Mapping) else answer
    try:
        return Board.model_validate_json(text)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc'])) or 'answer'}: {item['msg']}" for item in error.errors()]
        raise BoardError(
            f"what the agent says of {name} makes no sense: {'; '.join(problems[:3])}",
            hint="is it of another edgebin? `edgebin devices clean` removes it there",
        ) from error


def inspect_board(transport: Transport, agent: PurePosixPath, *, root: PurePosixPath | None = None) -> Board:
    """Asks the agent, which lies at `agent` on that machine.

    Args:
        transport: the way there.
        agent: where the agent is there.
        root: goes before the paths that the agent reads, for recorded boards.

    Raises:
        ConnectionLost, BoardError: it cannot be reached, or the agent failed.
    """
    command = [str(agent), "inspect", *(("--root", str(root)) if root is not None else ())]
    done = transport.run(command, timeout_s=_TIMEOUT_S)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BoardError(
            f"the agent on {transport.name} failed ({done.returncode}): {said[-1] if said else 'silently'}"
        )
    return parse_board(done.stdout, name=transport.name)
