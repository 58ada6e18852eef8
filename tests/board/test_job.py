"""Following a job over a connection that breaks anywhere: every event arrives once, and nothing else does."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import pytest

from edgebin.board import job as job_module
from edgebin.board.job import Job, new_job_id
from edgebin.board.transports.transport import Finished
from edgebin.errors import BoardError, ConnectionLost, InputError

EVENTS = b"".join(
    json.dumps({"event": "round", "round": number, "samples_ns": list(range(number))}).encode() + b"\n"
    for number in range(30)
)
END = b'{"event": "end", "text": "a \\"}\\" inside"}\n'


class Cutting:
    """A board whose connection breaks after each of `cuts` bytes; then it holds. Lines come without their ends."""

    name, emulated, folder = "a board", False, PurePosixPath("/home/pi/.cache/edgebin/board")

    def __init__(self, content: bytes, cuts: Sequence[int], *, dead: bool = False) -> None:
        self.content, self.cuts, self.dead = content, iter(cuts), dead
        self.commands: list[tuple[str, ...]] = []

    @contextlib.contextmanager
    def stream(self, command: Sequence[str]) -> Iterator[Iterator[bytes]]:
        self.commands.append(tuple(command))
        if self.dead:
            raise BoardError("no route to host")
        cut = next(self.cuts, None)
        rest = self.content[int(command[3]) :]

        def lines() -> Iterator[bytes]:
            for line in rest[:cut].splitlines(keepends=True):
                yield line.rstrip(b"\n")
            if cut is not None:
                raise ConnectionLost("broken pipe")

        yield lines()

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float | None = None) -> Finished:
        self.commands.append(tuple(command))
        return Finished(0, b"", "")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module.time, "sleep", lambda seconds: None)


def follow(board: Cutting, events: Path, *, patience: float = 60.0) -> list[bytes]:
    job = Job(board, PurePosixPath("/agent"), new_job_id(), patience)  # type: ignore[arg-type]
    return list(job.follow(events))


def test_each_event_once_wherever_the_connection_breaks(tmp_path: Path) -> None:
    content = EVENTS + END
    for size in (1, 7, 40, 101, len(content) // 2, len(content) - 1):
        events = tmp_path / f"events-{size}"
        cuts = itertools.repeat(size, 400 // size + 2)
        lines = follow(Cutting(content, list(cuts)), events)
        assert events.read_bytes() == content
        assert [line.rstrip(b"\n") for line in lines] == content.splitlines()


def test_a_cut_at_every_byte_of_an_event(tmp_path: Path) -> None:
    for cut in range(len(END)):
        events = tmp_path / f"events-{cut}"
        follow(Cutting(END, [cut]), events)
        assert events.read_bytes() == END


def test_another_process_goes_on_where_one_was_killed_in_the_middle_of_a_line(tmp_path: Path) -> None:
    events = tmp_path / "events"
    events.write_bytes(EVENTS[:200])
    kept = EVENTS[:200].count(b"\n")
    lines = follow(Cutting(EVENTS + END, []), events)
    assert events.read_bytes() == EVENTS + END
    assert len(lines) == 31 - kept


def test_a_job_whose_last_event_is_here_is_not_asked_again(tmp_path: Path) -> None:
    events = tmp_path / "events"
    events.write_bytes(EVENTS + END)
    board = Cutting(b"", [], dead=True)
    assert follow(board, events, patience=0.0) == []
    assert board.commands == []


def test_events_already_fetched_are_kept_when_the_connection_does_not_come_back(tmp_path: Path) -> None:
    events = tmp_path / "events"
    events.write_bytes(EVENTS)
    with pytest.raises(ConnectionLost, match="no route to host"):
        follow(Cutting(EVENTS, [], dead=True), events, patience=0.0)
    assert events.read_bytes() == EVENTS


def test_a_job_that_died_is_no_lost_connection(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="has died") as caught:
        follow(Cutting(EVENTS, []), tmp_path / "events")
    assert not isinstance(caught.value, ConnectionLost)


def test_rubbish_is_not_asked_for_without_end(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="not JSON"):
        follow(Cutting(b"rubbish\n" + END, []), tmp_path / "events")


def test_only_names_of_jobs(tmp_path: Path) -> None:
    for name in ("", "../../etc", "a b", "0123456789abcdeg"):
        with pytest.raises(InputError, match="no name of a job"):
            Job(Cutting(b"", []), PurePosixPath("/agent"), name)  # type: ignore[arg-type]


def test_abandoning_a_job_stops_restores_and_removes_and_never_raises() -> None:
    board = Cutting(b"", [])
    job = Job(board, PurePosixPath("/agent"), new_job_id())  # type: ignore[arg-type]
    job.abandon()
    folder = str(job.folder)
    assert board.commands == [
        ("/agent", "stop", folder),
        ("/agent", "restore", folder),
        ("rm", "-rf", "--", folder),
    ]
