"""Devices that a TVM RPC tracker hands out: the probe runs there as a library that their servers load.

They are trusted to be what their key says, real boards that do nothing else; and who can reach such a server can run
anything on it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebin.errors import BoardError, InputError, TargetMismatch
from edgebin.kernels.probe import PROBE_FUNCTION
from edgebin.toolchain.process import tail

_ADDRESS = re.compile(r"(?:\[([A-Za-z0-9:.%_-]+)\]|([A-Za-z0-9_.-]+)):([0-9]{1,5})")
_KEY = re.compile(r"[A-Za-z0-9_.+-]{1,100}")
_SERVER = "python -m tvm.exec.rpc_server --tracker {address} --key {key}"
# As many devices may fail on one question; what fails on all of them does not come from a device.
_ATTEMPTS = 3
_START_S = 30


@dataclass(frozen=True)
class Tracker:
    """The devices of one key.

    Seconds to wait: `wait_s` for a device that is free, `arrive_s` until the probe is there, `line_s` for each line.
    """

    host: str
    port: int
    key: str
    wait_s: int = 600
    arrive_s: int = 60
    line_s: int = 5
    emulated: bool = False

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        return f"tracker key {self.key}"

    def devices(self) -> int:
        """How many there are, free or not.

        Raises:
            BoardError: no tracker there, or no device of this key.
        """
        said = self._session(None, [])
        self._check(said)
        return int(said["devices"])

    def ask(self, library: Path, lines: Sequence[str]) -> str:
        """What the probe's library answers to these lines, all on one device. One that dies is replaced by another.

        Raises:
            BoardError: no tracker there, no device of this key, none that is free in time, or none that answers.
            TargetMismatch: a device cannot load the library.
        """
        lost: list[str] = []
        while len(lost) < _ATTEMPTS:
            said = self._session(library, lines)
            if said.get("problem") == "device":
                lost.append(f"{said.get('device', 'a device')}: {said['message']}")
                continue
            if lost and said.get("problem") in ("key", "busy"):
                break
            self._check(said)
            return str(said["answer"])
        raise BoardError(
            f"no device of {self.name} answers: {'; '.join(lost)}",
            hint=f"see the logs of the servers there: `{_SERVER.format(address=self.address, key=self.key)}`",
        )

    def _session(self, library: Path | None, lines: Sequence[str]) -> dict[str, Any]:
        """All that one session said, in one dictionary."""
        request = {
            "host": self.host,
            "port": self.port,
            "key": self.key,
            "library": None if library is None else str(library),
            "function": PROBE_FUNCTION,
            "text": "".join(f"{line}\n" for line in lines),
            "wait_s": self.wait_s,
            "arrive_s": self.arrive_s,
            "session_s": _START_S + self.line_s * len(lines),
        }
        done = subprocess.run(
            [sys.executable, "-P", str(Path(__file__).with_name("session.py"))],
            input=json.dumps(request),
            env={**os.environ, "TVM_USE_RUNTIME_LIB": "1"},  # the compiler is not needed, and takes a second to load
            capture_output=True,
            text=True,
            check=False,
        )
        said: dict[str, Any] = {}
        for line in done.stdout.splitlines():
            said |= json.loads(line)
        if done.returncode == 0 or said.keys() & {"answer", "problem"}:
            return said
        late = done.returncode == -signal.SIGALRM
        message = "no answer in time" if late else f"TVM's client ended with {done.returncode}: {tail(done.stderr)}"
        return said | {"problem": "device", "message": message}

    def _check(self, said: dict[str, Any]) -> None:
        """Raises what the problem is, if there is one."""
        message, device = said.get("message"), said.get("device")
        serve = f"start a server on the board: `{_SERVER.format(address=self.address, key=self.key)}`"
        match said.get("problem"):
            case None:
                return
            case "tracker":
                raise BoardError(
                    f"no TVM RPC tracker at {self.address}: {message}",
                    hint="start one: `python -m tvm.exec.rpc_tracker --host 0.0.0.0 --port 9190`",
                )
            case "key":
                keys = ", ".join(said["keys"])
                raise BoardError(
                    f"the tracker at {self.address} has no device of the key `{self.key}`",
                    hint=f"keys there: {keys}; or {serve}" if keys else f"it has none at all; {serve}",
                )
            case "busy":
                raise BoardError(
                    f"all {said['devices']} devices of {self.name} are taken: {message}",
                    hint=f"try again later, or {serve}",
                )
            case "library":
                raise TargetMismatch(
                    f"{device} of {self.name} cannot load what was built for the target: {message}",
                    hint="is it of the target's architecture (`-t`), with a C library as old as the target's or newer?",
                )
            case _:
                raise BoardError(f"the probe failed on {device} of {self.name}: {message}")


def parse_tracker(address: str, key: str) -> Tracker:
    """The tracker at `HOST:PORT`, or `[IPV6]:PORT`, and a key of devices.

    Raises:
        InputError: no address, or no key.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 65536:
        raise InputError(f"`{address}` is no address of a tracker", hint="HOST:PORT, such as 192.168.1.10:9190")
    if not _KEY.fullmatch(key):
        raise InputError(f"`{key}` is no key of devices", hint="the word that servers were started with, such as rpi4b")
    return Tracker(match[1] or match[2], int(match[3]), key)
