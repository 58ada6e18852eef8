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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgebin.board.tracker.tracker import Tracker
from edgebin.errors import BoardError
from edgebin.targets import load_target
from edgebin.toolchain.userland import userland, userland_command

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

    def serve(self, *keys: str) -> list[subprocess.Popen[bytes]]:
        """Starts a server for each key on this host and waits until the tracker knows them."""
        return self._serve(keys, [sys.executable, "-m", "tvm.exec.rpc_server"])

    def serve_emulated(self, target_id: str, site: Path, *keys: str) -> list[subprocess.Popen[bytes]]:
        """The same under QEMU, on a target's processor, with the published aarch64 packages in `site`."""
        environment = {"PYTHONPATH": f"{site}:{userland().site}", "TVM_USE_RUNTIME_LIB": "1"}
        python = self.folder / f"python-{target_id}"
        words = userland_command(load_target(target_id), [], environment=environment)
        python.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        python.chmod(0o755)
        return self._serve(keys, [str(python), "-c", _UNDER_QEMU, str(python)])

    def _serve(self, keys: Sequence[str], command: Sequence[str]) -> list[subprocess.Popen[bytes]]:
        wanted = {key: self._known(key) + keys.count(key) for key in keys}
        tracker = ("--tracker", f"127.0.0.1:{self.port}")
        names = [f"{key}-{len(self._processes) + index}" for index, key in enumerate(keys)]
        servers = [
            self._start(name, [*command, *_at(_free_port()), *tracker, "--key", key])
            for name, key in zip(names, keys, strict=True)
        ]

        def known() -> bool:
            logs = "".join((self.folder / f"{name}.log").read_text() for name in names)
            # A worker that ends takes no notice of the program that started it, nor that of it.
            assert "Error" not in logs, logs
            assert all(server.poll() is None for server in servers), logs
            return all(self._known(key) >= count for key, count in wanted.items())

        _wait(known, f"a server of {wanted}")
        return servers

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def _python_path(self) -> str:
        """TVM imports torch where it can, which takes each process a second: here it cannot."""
        stub = self.folder / "stub"
        stub.mkdir(exist_ok=True)
        (stub / "torch.py").write_text("raise ImportError\n")
        return os.pathsep.join(filter(None, (str(stub), os.environ.get("PYTHONPATH"))))

    def _known(self, key: str) -> int:
        try:
            return self.tracker(key).devices()
        except BoardError:
            return 0

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            environment = {**os.environ, "TVM_USE_RUNTIME_LIB": "1", "PYTHONPATH": self._python_path()}
            # A session of its own: the workers that it starts are ended with it.
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        self._processes.append(process)
        return process


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Two servers of the key `x86-64`, and one of the key `here`."""
    with Farm(tmp_path_factory.mktemp("farm")) as made:
        made.serve("x86-64", "x86-64", "here")
        yield made


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
