"""A job of the agent: it runs detached on its machine, and is followed from here, through lost connections too."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, TypeVar

from edgebin.board.transports.transport import Transport
from edgebin.errors import BoardError, ConnectionLost, InputError
from edgebin.toolchain.process import tail

Result = TypeVar("Result")

# How long to try again when the connection is lost, and the pauses in between.
PATIENCE_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 8.0
# One call of `agent follow`: short enough for a dead connection to be noticed, long enough to be rare.
_FOLLOW_SECONDS = 60
_COMMAND_TIMEOUT_SECONDS = 60.0
_STOP_TIMEOUT_SECONDS = 90.0
_LAST_EVENTS = ("end", "error")
_BUSY = 4  # as the agent says it (docs/board.md)
_NOTHING_YET: Mapping[str, Any] = MappingProxyType({})
_ID = re.compile(r"[0-9a-f]{16}")


def new_job_id() -> str:
    """A name that no other job has."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Job:
    """One job. Nothing of it is on the machine until `start`; afterwards it goes on whatever becomes of this process.

    `agent` is the agent's path there, `id_` the name of the job's folder, `root` as in a plan.
    """

    transport: Transport
    agent: PurePosixPath
    id_: str
    patience_seconds: float = PATIENCE_SECONDS

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id_):
            raise InputError(f"`{self.id_}` is no name of a job")

    @property
    def folder(self) -> PurePosixPath:
        """Where its files lie there."""
        return self.transport.folder / "jobs" / self.id_

    @property
    def plan_path(self) -> PurePosixPath:
        """What `start` writes."""
        return self.folder / "plan"

    def start_command(self) -> tuple[str, ...]:
        """Starts it, detached."""
        return (str(self.agent), "start", str(self.folder))

    def follow_command(self, offset: int) -> tuple[str, ...]:
        """Gives its events from this byte on."""
        return (str(self.agent), "follow", str(self.folder), str(offset), str(_FOLLOW_SECONDS))

    def stop_command(self) -> tuple[str, ...]:
        """Ends its processes."""
        return (str(self.agent), "stop", str(self.folder))

    def restore_command(self) -> tuple[str, ...]:
        """Undoes its settings, where it was killed before it could."""
        return (str(self.agent), "restore", str(self.folder))

    def remove_command(self) -> tuple[str, ...]:
        """Removes its folder."""
        return ("rm", "-rf", "--", str(self.folder))

    def start(self, plan: str) -> None:
        """Writes the plan and starts the job.

        Raises:
            ConnectionLost: it may have been started.
            InputError: the agent cannot use the plan.
            BoardError: the machine cannot be reached, or runs another job.
        """
        self.transport.put({self.plan_path: plan.encode()})
        done = self.transport.run(self.start_command(), timeout_s=_COMMAND_TIMEOUT_SECONDS)
        if done.returncode != 0:
            said = tail(done.stderr).removeprefix("error: ") or f"the agent ended with {done.returncode}"
            raise BoardError(
                f"{self.transport.name} does not start the measurement: {said}",
                hint="wait until that has ended" if done.returncode == _BUSY else None,
            )

    def follow(self, events: Path, *, lost: Callable[[str], None] = lambda _: None) -> Generator[bytes]:
        """The job's events as they come, from the end of the file `events` on, which gets each before it is given.

        Whatever happens to the connection, the file has each event once. A lost connection is tried again until
        `patience_seconds` have passed without anything; `lost` is then told.

        Raises:
            ConnectionLost: the connection is lost and does not come back; the job goes on.
            BoardError: the job has died without a last event.
        """
        if _cut_incomplete_line(events):
            return
        last_word, pause, cut_at = time.monotonic(), _FIRST_PAUSE_SECONDS, -1
        while True:
            asked, offset = time.monotonic(), events.stat().st_size
            rest = b""
            event: Mapping[str, Any] | None = _NOTHING_YET
            try:
                with self.transport.stream(self.follow_command(offset)) as lines, events.open("ab") as sink:
                    for line in lines:
                        if event is None:  # and yet more comes
                            cut_at = offset
                            break
                        event = _whole_event(line)
                        if event is None:  # the connection breaks right now, or it is no event
                            rest = line
                            continue
                        sink.write(line.rstrip(b"\n") + b"\n")
                        sink.flush()
                        last_word, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
                        yield line
                        if event.get("event") in _LAST_EVENTS:
                            return
            except BoardError as error:
                if time.monotonic() - last_word > self.patience_seconds:
                    raise ConnectionLost(f"the connection to {self.transport.name} is lost: {error.message}") from error
                lost(f"lost {self.transport.name}, trying again: {error.message}")
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            news = events.stat().st_size > offset
            if event is None and cut_at == offset:
                raise BoardError(f"the agent on {self.transport.name} says what is not JSON: {rest[:100]!r}")
            cut_at = offset if event is None else -1
            last_word = time.monotonic()
            # The agent gives up before its time only where there is nothing left to wait for.
            if event is not None and not news and last_word - asked < _FOLLOW_SECONDS / 2:
                raise BoardError(
                    f"the measurement on {self.transport.name} has died",
                    hint="was the board switched off, or its memory full? profile again",
                )

    def fetch_power(self, to: Path) -> None:
        """Fetches the samples of power. No samples are an empty file.

        Raises:
            ConnectionLost, BoardError: as `follow`.
        """
        self._patiently(lambda: self.transport.get(self.folder / "power", to))

    def remove(self) -> None:
        """Removes its files from the machine.

        Raises:
            ConnectionLost, BoardError: as `follow`.
        """
        self._patiently(lambda: self.transport.run(self.remove_command(), timeout_s=_COMMAND_TIMEOUT_SECONDS))

    def abandon(self) -> None:
        """Ends it, undoes its settings and removes its files, as far as the connection allows; never raises."""
        try:
            for command in (self.stop_command(), self.restore_command(), self.remove_command()):
                self.transport.run(command, timeout_s=_STOP_TIMEOUT_SECONDS)
        except BoardError:
            pass  # what led here is the error to report

    def _patiently(self, action: Callable[[], Result]) -> Result:
        """Does what may be done twice, until the connection holds for it."""
        began, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
        while True:
            try:
                return action()
            except ConnectionLost:
                if time.monotonic() - began > self.patience_seconds:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _cut_incomplete_line(events: Path) -> bool:
    """Leaves nothing of a line that this process, or one before it, has not got to its end; whether all are there."""
    content = events.read_bytes() if events.exists() else b""
    complete = content.rfind(b"\n") + 1
    if complete < len(content) or not events.exists():
        events.write_bytes(content[:complete])
    last = _whole_event(content[:complete].rstrip(b"\n").rpartition(b"\n")[2])
    return last is not None and last.get("event") in _LAST_EVENTS


def _whole_event(line: bytes) -> Mapping[str, Any] | None:
    """The event, None where the connection broke in the middle of it: no beginning of a JSON object is one."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
