"""The interface of a way to a machine: start programs there, bring files there and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol


@dataclass(frozen=True)
class Finished:
    """A program that ran to its end. Killed by a signal: its negative number, or 128 + it where a shell was between."""

    returncode: int
    stdout: bytes
    stderr: str


class Transport(Protocol):
    """A way to one machine, open until `close`. Paths there are absolute.

    `name` is for people. `emulated` means that times taken there say nothing about a board. `folder` is the one that
    edgebin keeps everything in (docs/board.md). Each word of a command arrives there as it is, whatever is in it.
    Whatever loses the connection raises ConnectionLost; BoardError is for a machine that was never reached. The call
    after a ConnectionLost connects anew, and raises it again as long as the machine stays away. A program that gets
    no input and still runs when its connection breaks is ended, unless it has detached itself.
    """

    @property
    def name(self) -> str: ...

    @property
    def emulated(self) -> bool: ...

    @property
    def folder(self) -> PurePosixPath: ...

    def run(
        self, command: Sequence[str], *, stdin: bytes | IO[bytes] = b"", timeout_s: float | None = None
    ) -> Finished:
        """Runs a program to its end, whatever that is. `stdin` may be a real file, which is read from where it stands.

        Raises:
            ConnectionLost: the connection broke, or nothing came back within `timeout_s`.
            BoardError: the machine cannot be reached, or the program not be started.
        """
        ...

    def stream(self, command: Sequence[str]) -> AbstractContextManager[Iterator[bytes]]:
        """Starts a program and gives its lines of standard output as they come, whole; leaving the context ends it.

        Raises:
            ConnectionLost: the connection broke. The program's own failure is not an error: the lines just end.
        """
        ...

    def put(self, files: Mapping[PurePosixPath, Path | bytes], *, executable: bool = False) -> None:
        """Writes files there, each under a temporary name until it is complete; folders are made on the way.

        All lie in one file system. Whoever fails leaves nothing but folders behind.

        Raises:
            ConnectionLost, BoardError: as `run`; also a full disk.
            InputError: a file cannot be read here.
        """
        ...

    def get(self, path: PurePosixPath, to: Path) -> None:
        """Fetches one file; `to` appears when it is complete.

        Raises:
            ConnectionLost, BoardError: as `run`; also a file that is not there.
        """
        ...

    def command_line(self, command: Sequence[str]) -> str:
        """What `run` would start, as a line to paste into a shell on this host; for `--dry-run`."""
        ...

    def close(self) -> None:
        """Ends what the way itself keeps running. Nothing there is ended."""
        ...
