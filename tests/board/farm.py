"""A farm on loopback: TVM's own tracker, and its own servers as they run on boards, here or under QEMU."""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgebin.board.tracker import Tracker
from edgebin.errors import BoardError
from edgebin.targets import load_target
from edgebin.toolchain.userland import userland_command

_STARTS_S = 240

needs_farm = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("tornado", "psutil", "cloudpickle")),
    reason="TVM's tracker and servers need the packages tornado, psutil and cloudpickle",
)

# What `python -m tvm.exec.rpc_server` does under QEMU: it starts workers by the name of Python's program, which the
# kernel cannot run; the first argument is one that it can.
_UNDER_QEMU = (
    "import sys, runpy; sys.executable = sys.argv.pop(1); "
    "runpy.run_module('tvm.exec.rpc_server', run_name='__main__', alter_sys=True)"
)


@dataclass
class Farm:
    """Logs are kept in `folder`. Leaving it as a context manager ends all that was started."""

    folder: Path
    port: int = 0
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Farm:
        self.port = _free_port()
        self._start("tracker", [sys.executable, "-m", "tvm.exec.rpc_tracker", *_at(self.port)])
        # A server that starts earlier tries again after five seconds only.
        _wait(self._answers, "the tracker")
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            end(process)

    def tracker(self, key: str, **limits: int) -> Tracker:
        return Tracker("127.0.0.1", self.port, key, **limits)

    def serve(self, key: str, count: int = 1) -> list[subprocess.Popen[bytes]]:
        """Starts servers on this host and waits until the tracker knows them."""
        command = [sys.executable, "-m", "tvm.exec.rpc_server"]
        return self._serve(key, count, command)

    def serve_emulated(self, target_id: str, key: str, site: Path) -> subprocess.Popen[bytes]:
        """Starts a server of the published aarch64 packages in `site` under QEMU, and waits likewise."""
        environment = {"PYTHONPATH": str(site), "TVM_USE_RUNTIME_LIB": "1"}
        python = self.folder / f"python-{target_id}"
        words = userland_command(load_target(target_id), [], environment=environment)
        python.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        python.chmod(0o755)
        return self._serve(key, 1, [str(python), "-c", _UNDER_QEMU, str(python)])[0]

    def _serve(self, key: str, count: int, command: Sequence[str]) -> list[subprocess.Popen[bytes]]:
        before = self._known(key)
        address = ("--tracker", f"127.0.0.1:{self.port}", "--key", key)
        servers = [
            self._start(f"{key}-{len(self._processes)}", [*command, *_at(_free_port()), *address]) for _ in range(count)
        ]
        _wait(lambda: self._known(key) >= before + count, f"a server of {key}")
        return servers

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def _known(self, key: str) -> int:
        try:
            return self.tracker(key).devices()
        except BoardError:
            return 0

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            environment = {**os.environ, "TVM_USE_RUNTIME_LIB": "1"}
            # A session of its own: the workers that it starts are ended with it.
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        self._processes.append(process)
        return process


def _wait(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _STARTS_S
    while not done():
        assert time.monotonic() < deadline, f"{what} has not started within {_STARTS_S} s"
        time.sleep(0.1)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of a farm with all its workers."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _at(port: int) -> tuple[str, ...]:
    return ("--host", "127.0.0.1", "--port", str(port), "--port-end", str(port + 1))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
