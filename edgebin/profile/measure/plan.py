"""What the agent is asked to do, as the text of docs/board.md, "Plan"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgebin.errors import InputError

_VERSION = 1


@dataclass(frozen=True)
class Program:
    """A command line on the board, the program first, and what is added to its environment.

    As a contender of a session it serves (`run N`); programs of one name compete, and the quickest is kept. As a
    command it runs once, after all sessions.
    """

    name: str
    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Session:
    """Contenders that are timed in turns, on `cores`; None leaves them to the scheduler."""

    threads: int
    cores: tuple[int, ...] | None
    contenders: tuple[Program, ...]


@dataclass(frozen=True)
class Plan:
    """One job. `tune` holds settings such as `governor performance`; without idling no energy is measured."""

    sessions: tuple[Session, ...]
    commands: tuple[Program, ...] = ()
    warmup_seconds: float = 1.0
    min_runs: int = 50
    min_seconds: float = 5.0
    power: str | None = None
    power_hz: float = 100.0
    idle_seconds: float = 0.0
    energy_windows: int = 5
    energy_seconds: float = 10.0
    energy_min_runs: int = 100
    tune: tuple[str, ...] = ()
    root: str | None = None

    def text(self) -> str:
        """The plan as the agent reads it.

        Raises:
            InputError: a value has a line break in it, which would be a line of the plan.
        """
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"edgebin-plan {_VERSION}"
        if self.root is not None:
            yield _line("root", self.root)
        yield _line("power", self.power or "none")
        yield f"power-hz {self.power_hz:g}"
        yield f"warmup-seconds {self.warmup_seconds:g}"
        yield f"min-runs {self.min_runs}"
        yield f"min-seconds {self.min_seconds:g}"
        yield f"idle-seconds {self.idle_seconds:g}"
        yield f"energy-windows {self.energy_windows}"
        yield f"energy-seconds {self.energy_seconds:g}"
        yield f"energy-min-runs {self.energy_min_runs}"
        for setting in self.tune:
            yield _line("tune", setting)
        for session in self.sessions:
            cores = "-" if session.cores is None else ",".join(map(str, session.cores))
            yield f"session {session.threads} {cores}"
            for contender in session.contenders:
                yield from _program("contender", contender)
        for command in self.commands:
            yield from _program("command", command)


def _program(kind: str, program: Program) -> Iterator[str]:
    yield _line(kind, program.name)
    for word in program.words:
        yield _line("arg", word)
    for name, value in program.environment:
        yield _line("env", f"{name}={value}")


def _line(key: str, value: str) -> str:
    # The agent ends lines at \n alone; \r and \0 could not be told from the value's own.
    if any(character in value for character in "\n\r\0"):
        raise InputError(f"{value!r} has a line break in it", hint="rename the file")
    return f"{key} {value}"
