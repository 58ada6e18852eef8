"""A running inference program, asked for timings over its standard input: ours and onnxruntime's speak one protocol.

The program prints one JSON line when its model is loaded; each line `run N` then gives one JSON line whose `samples_ns`
are the times of N inferences.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from edgebin.errors import BoardError, InputError
from edgebin.toolchain.process import tail


class Engine:
    """One process with one loaded model. Use as a context manager: leaving it ends the process."""

    def __init__(self, name: str, argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        self.name = name
        # Not a pipe, which a talkative program would fill; closed by __exit__.
        self._stderr = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115
        started = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                [str(part) for part in argv],
                env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
            )
        except OSError as error:
            raise BoardError(f"cannot start the {name} engine: {error.strerror}") from error
        self.hello = self._answer()
        self.load_ms = (time.perf_counter() - started) * 1e3

    def run(self, count: int) -> list[float]:
        """Times `count` inferences, in milliseconds.

        Raises:
            BoardError: the program died or did not answer with `count` timings.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"run {count}\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._died() from error
        timings = self._answer().get("samples_ns")
        if not isinstance(timings, list) or len(timings) != count:
            raise BoardError(f"the {self.name} engine did not answer with {count} timings")
        return [float(ns) / 1e6 for ns in timings]

    def peak_rss_bytes(self) -> int:
        """The most memory the process has had resident so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._stderr.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._died()
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise BoardError(f"the {self.name} engine answered `{line.strip()[:80]}`") from error
        if not isinstance(answer, dict):
            raise BoardError(f"the {self.name} engine answered `{line.strip()[:80]}`")
        return answer

    def _died(self) -> BoardError:
        self._process.kill()
        status = self._process.wait()
        self._stderr.seek(0)
        return BoardError(f"the {self.name} engine ended with {status}\n{tail(self._stderr.read())}")


@contextmanager
def pinned(cpus: Sequence[int] | None) -> Iterator[None]:
    """Runs the body on these processors only; processes started meanwhile inherit that. None: leaves all as it is.

    Raises:
        InputError: this process may not use one of them.
    """
    before = os.sched_getaffinity(0)
    if cpus is not None:
        try:
            os.sched_setaffinity(0, cpus)
        except (OSError, ValueError) as error:
            allowed = ", ".join(map(str, sorted(before)))
            raise InputError(
                f"cannot pin to processors {list(cpus)}", hint=f"processors of this process: {allowed}"
            ) from error
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
