"""A board over SSH."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from edgebin.board.store.archive import UNPACK, packed
from edgebin.board.store.arrival import appearing
from edgebin.board.transports.ssh.connection import Connection, config_words
from edgebin.board.transports.ssh.destination import ssh_destination
from edgebin.board.transports.ssh.failure import summary
from edgebin.board.transports.ssh.shell import remote_line, unwrap_stderr, unwrap_stdout
from edgebin.board.transports.transport import Finished
from edgebin.errors import BoardError, ConnectionLost
from edgebin.toolchain.process import tail

_STARTED_NOT = (126, 127)  # what every shell says of a program that it cannot start, and of one that is not there
_END_SECONDS = 5

# Unpacks the files 0, 1, … beside their places, then names them. $1: a folder of them all, $2: their mode.
_PUT = f"""
mkdir -p "$1/" || exit 1
{UNPACK}
mode=$2; shift 2
number=0
for path; do
  mkdir -p "${{path%/*}}/" || exit 1
  [ ! -d "$path" ] || {{ echo "$path: is a folder" >&2; exit 1; }}
  chmod "$mode" "$new/$number" && mv -f "$new/$number" "$path" || exit 1
  number=$((number + 1))
done
"""


class SshTransport:
    """The machine that `ssh host` reaches without asking anything; connects when it is first used.

    `name` is what people call it, `host` if they have no name for it.
    """

    emulated = False

    def __init__(self, host: str, name: str | None = None) -> None:
        self.host = ssh_destination(host)
        self.name = name or host
        self._connection: Connection | None = None
        self._reached = False
        self._lock = threading.Lock()

    @property
    def folder(self) -> PurePosixPath:
        return PurePosixPath(self._connected().cache) / "edgebin" / "board"

    def run(
        self, command: Sequence[str], *, stdin: bytes | IO[bytes] = b"", timeout_s: float | None = None
    ) -> Finished:
        connection = self._connected()
        client = connection.client(remote_line(command, connection.mark, fed=stdin != b""))
        with (
            _as_file(stdin) as source,
            tempfile.TemporaryFile() as wrote,
            tempfile.TemporaryFile() as complained,
            subprocess.Popen(
                client,
                stdin=subprocess.PIPE if source is None else source,  # held open: where it ends, the program does
                stdout=wrote,
                stderr=complained,
                start_new_session=True,
            ) as process,
        ):
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                raise ConnectionLost(f"nothing came back from {self.name} within {timeout_s:g} s") from None
            finally:
                process.kill()
            wrote.seek(0)
            complained.seek(0)
            stdout, stderr = wrote.read(), complained.read()
        written, ended = unwrap_stdout(stdout, connection.mark), unwrap_stderr(stderr, connection.mark)
        if written is None or ended is None:
            raise self._lost(connection, stderr)
        said, status = ended
        if status in _STARTED_NOT:
            raise BoardError(f"{self.name} cannot run `{os.path.basename(command[0])}`: {tail(said)}")
        return Finished(status, written, said)

    @contextlib.contextmanager
    def stream(self, command: Sequence[str]) -> Iterator[Iterator[bytes]]:
        connection = self._connected()
        client = connection.client(remote_line(command, connection.mark, fed=False))
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(
                client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            ) as process,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield self._lines(connection, process.stdout, said)
            finally:
                process.stdout.close()
                process.stdin.close()  # this ends the program there (shell.py), and that the client
                try:
                    process.wait(_END_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    def put(self, files: Mapping[PurePosixPath, Path | bytes], *, executable: bool = False) -> None:
        if not files:
            return
        beside = str(next(iter(files)).parent)
        with packed({str(number): file for number, file in enumerate(files.values())}) as archive:
            mode = "755" if executable else "644"
            done = self.run(["sh", "-c", _PUT, "edgebin", beside, mode, *map(str, files)], stdin=archive)
        if done.returncode:
            raise BoardError(
                f"cannot write to {self.name}: {tail(done.stderr)}",
                hint=f"room and permissions: `{self.command_line(['df', '-h', beside])}`",
            )

    def get(self, path: PurePosixPath, to: Path) -> None:
        done = self.run(["cat", "--", str(path)])
        if done.returncode:
            raise BoardError(f"cannot read `{path}` on {self.name}: {tail(done.stderr)}")
        with appearing(to) as partial:
            partial.write_bytes(done.stdout)

    def command_line(self, command: Sequence[str]) -> str:
        return shlex.join(["ssh", *config_words(), self.host, shlex.join(command)])

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connected(self) -> Connection:
        with self._lock:
            if self._connection is not None and not self._connection.alive:
                self._connection.close()
                self._connection = None
            if self._connection is None:
                try:
                    self._connection = Connection(self.host)
                except BoardError as error:
                    raise ConnectionLost(error.message, hint=error.hint) if self._reached else error from None
                self._reached = True
            return self._connection

    def _lines(self, connection: Connection, stdout: IO[bytes], said: IO[bytes]) -> Iterator[bytes]:
        mark = connection.mark.encode() + b"\n"
        begun = False
        for line in stdout:
            if begun and line.endswith(mark):
                if line != mark:
                    yield line.removesuffix(mark)
                return
            if not line.endswith(b"\n"):
                break  # the connection broke in the middle of it
            if begun:
                yield line.rstrip(b"\n")
            begun = begun or line.endswith(mark)
        said.seek(0)
        raise self._lost(connection, said.read())

    def _lost(self, connection: Connection, stderr: bytes) -> ConnectionLost:
        connection.settle()
        why = summary(connection.said() or stderr.decode(errors="replace"))
        return ConnectionLost(f"the connection to {self.name} broke: {why}")


@contextlib.contextmanager
def _as_file(stdin: bytes | IO[bytes]) -> Iterator[IO[bytes] | None]:
    if not isinstance(stdin, bytes):
        yield stdin
    elif not stdin:
        yield None
    else:
        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            yield source
