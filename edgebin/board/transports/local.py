"""This host, as a machine like any other."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from edgebin.board.store.arrival import appearing
from edgebin.board.transports.transport import Finished
from edgebin.errors import BoardError, ConnectionLost, InputError
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.process import tail

_STARTED_NOT = (126, 127)  # as in edgebin.board.transports.ssh.transport: for programs that a shell starts
_END_SECONDS = 5


class LocalTransport:
    """Programs of this host, as children of this process and in a session of their own."""

    emulated = False
    name = "this host"

    @property
    def folder(self) -> PurePosixPath:
        return PurePosixPath(cache_dir("board"))

    def run(
        self, command: Sequence[str], *, stdin: bytes | IO[bytes] = b"", timeout_s: float | None = None
    ) -> Finished:
        data, source = (stdin, subprocess.PIPE) if isinstance(stdin, bytes) else (None, stdin)
        with self._started(command, stdin=source, stderr=subprocess.PIPE) as process:
            try:
                stdout, stderr = process.communicate(data, timeout_s)
            except subprocess.TimeoutExpired:
                raise ConnectionLost(f"nothing came back from {self.name} within {timeout_s:g} s") from None
            finally:
                _end(process)
        said = stderr.decode(errors="replace")
        if process.returncode in _STARTED_NOT:
            raise BoardError(f"{self.name} cannot run `{os.path.basename(command[0])}`: {tail(said)}")
        return Finished(process.returncode, stdout, said)

    @contextlib.contextmanager
    def stream(self, command: Sequence[str]) -> Iterator[Iterator[bytes]]:
        with self._started(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            try:
                yield (line.rstrip(b"\n") for line in process.stdout)
            finally:
                _end(process)

    def put(self, files: Mapping[PurePosixPath, Path | bytes], *, executable: bool = False) -> None:
        for name, file in files.items():
            path = Path(name)
            if isinstance(file, Path) and not file.is_file():
                raise InputError(f"cannot read `{file}`: no such file")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=path.parent, prefix=".put-") as scratch:
                    partial = Path(scratch) / "partial"
                    if isinstance(file, bytes):
                        partial.write_bytes(file)
                    else:
                        shutil.copyfile(file, partial)
                    partial.chmod(0o755 if executable else 0o644)
                    os.replace(partial, path)
            except OSError as error:
                raise BoardError(
                    f"cannot write `{path}` on {self.name}: {error.strerror or error}",
                    hint=f"room and permissions: `{self.command_line(['df', '-h', str(path.parent)])}`",
                ) from error

    def get(self, path: PurePosixPath, to: Path) -> None:
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise BoardError(f"cannot read `{path}` on {self.name}: {error.strerror or error}") from error
        with appearing(to) as partial:
            partial.write_bytes(content)

    def command_line(self, command: Sequence[str]) -> str:
        return shlex.join(self._words(command))

    def close(self) -> None:
        """There is nothing to end."""

    def _words(self, command: Sequence[str]) -> list[str]:
        """What is really started."""
        return list(command)

    def _started(self, command: Sequence[str], *, stdin: int | IO[bytes], stderr: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._words(command), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True
            )
        except OSError as error:
            raise BoardError(
                f"{self.name} cannot run `{os.path.basename(command[0])}`: {error.strerror}",
            ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the program, not what has detached itself from it."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
