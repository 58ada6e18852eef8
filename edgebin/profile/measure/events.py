"""What the agent has written while it measured: docs/board.md, "Events". It comes from a board, so it is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from edgebin.errors import BoardError, InputError


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Setting(_Event):
    """A setting of the machine: what it was, and what it has been made."""

    what: str
    before: str
    after: str


class Sampler(_Event):
    """What sampling power has cost in `wall_ns`. `late`: samples taken more than half a period after their time."""

    samples: int
    cpu_ns: int
    late: int
    wall_ns: int


class Begin(_Event):
    """The job begins. `agent` is the version of these formats."""

    event: Literal["begin"]
    agent: Literal[1]
    monotonic_ns: int
    realtime_ns: int
    board: dict[str, Any]


class Tuned(_Event):
    """Settings were made."""

    event: Literal["tuned"]
    settings: tuple[Setting, ...]


class SessionBegin(_Event):
    """A session begins. `cores` is empty where the scheduler chooses."""

    event: Literal["session"]
    session: int
    threads: int
    cores: tuple[int, ...]


class Started(_Event):
    """A contender has loaded its model; `hello` is the first line that it wrote."""

    event: Literal["started"]
    session: int
    contender: int
    name: str
    load_ns: int
    hello: Any = None


class Failed(_Event):
    """A contender has not started, or died; `exit` is None where the agent ended it."""

    event: Literal["failed"]
    session: int
    contender: int
    name: str
    exit: int | None
    message: str


class Trial(_Event):
    """A few inferences of one of several contenders of a name."""

    event: Literal["trial"]
    session: int
    contender: int
    samples_ns: tuple[int, ...]


class Chosen(_Event):
    """Those that are timed from here on."""

    event: Literal["chosen"]
    session: int
    contenders: tuple[int, ...]


class First(_Event):
    """The first inference of a contender."""

    event: Literal["first"]
    session: int
    contender: int
    samples_ns: tuple[int, ...]


class Warmup(_Event):
    """Inferences until the contender had settled, or time was up."""

    event: Literal["warmup"]
    session: int
    contender: int
    samples_ns: tuple[int, ...]
    settled: bool


class ClockSpeed(_Event):
    """The speed of a chain of dependent additions on one processor."""

    event: Literal["clock"]
    session: int
    cpu: int
    hz: float


class Round(_Event):
    """One contender's turn of a round, without its first inference."""

    event: Literal["round"]
    session: int
    round: int
    contender: int
    begin_ns: int
    end_ns: int
    samples_ns: tuple[int, ...]


class Idle(_Event):
    """Contenders are loaded, and nothing runs."""

    event: Literal["idle"]
    session: int
    begin_ns: int
    end_ns: int


class Window(_Event):
    """Inferences of one contender back to back, for its energy."""

    event: Literal["window"]
    session: int
    window: int
    contender: int
    begin_ns: int
    end_ns: int
    runs: int


class Memory(_Event):
    """The most memory that a contender has had resident."""

    event: Literal["memory"]
    session: int
    contender: int
    peak_rss_bytes: int


class Output(_Event):
    """What a command has said; `exit` is None where it could not be started, or the agent ended it."""

    event: Literal["output"]
    name: str
    exit: int | None
    stdout: str
    stderr: str


class Restored(_Event):
    """Settings are again what they were."""

    event: Literal["restored"]
    settings: tuple[Setting, ...]


class End(_Event):
    """The job has done all it was asked to."""

    event: Literal["end"]
    monotonic_ns: int
    realtime_ns: int
    board: dict[str, Any]
    sampler: Sampler | None = None


class Error(_Event):
    """The job ends here, for this reason."""

    event: Literal["error"]
    message: str


Event = (
    Begin
    | Tuned
    | SessionBegin
    | Started
    | Failed
    | Trial
    | Chosen
    | First
    | Warmup
    | ClockSpeed
    | Round
    | Idle
    | Window
    | Memory
    | Output
    | Restored
    | End
    | Error
)
_PARSER: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def parse_event(line: bytes) -> Event:
    """One line.

    Raises:
        BoardError: not an event of this version of the formats.
    """
    try:
        return _PARSER.validate_json(line)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        said = line[:100].decode(errors="replace")
        raise BoardError(
            f"the agent says what makes no sense, {where or 'line'}: {problem['msg']}: {said}",
            hint="is the agent on the board this edgebin's? `edgebin devices clean` removes it",
        ) from error


def read_events(path: Path) -> tuple[Event, ...]:
    """All events of a file. An incomplete last line is left out: that is how a file looks while it is being fetched.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    events = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            events.append(parse_event(line))
        except BoardError as error:
            raise InputError(f"`{path}`, line {number}: {error.message}") from error
    return tuple(events)
