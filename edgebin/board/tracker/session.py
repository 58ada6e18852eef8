"""One session on a device of a TVM RPC tracker, as a program of its own (`python session.py`).

A device that hangs blocks TVM's client for good, and one that dies may take it along. An alarm ends this program then,
and tracker.py asks another device. On stdin comes one JSON object, `Request` says what is in it; on stdout go JSON
objects, one a line, of which the last says how it ended:

    {"devices": N}                           those of the key, at first
    {"device": "HOST:PORT"}                  that the tracker has given us one
    {"answer": "…"}                          what the packed function returned
    {"problem": KIND, "message": "…"}        KIND: tracker, key, busy, library, function, device
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

# What the file is called on the device, in a folder of the session that the server removes.
_UPLOADED = "edgebin-probe.so"
_REFUSED_LIBRARY = "Failed to load dynamic shared library"
_CONNECT_S = 10


class Request(TypedDict):
    """`library` None: only the devices are counted.

    Seconds: `wait_s` until a device is free, `arrive_s` until the library is there, `session_s` for what it does.
    """

    host: str
    port: int
    key: str
    library: str | None
    function: str
    text: str
    wait_s: int
    arrive_s: int
    session_s: int


class Problem(Exception):
    """What ends the session; `kind` as above, `more` is added to what is said."""

    def __init__(self, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.kind, self.more = kind, more


def main() -> None:
    """Does what stdin asks for."""
    request: Request = json.load(sys.stdin)
    sys.modules["torch"] = None  # type: ignore[assignment]  # TVM would load it if it could, which takes a second
    try:
        with _problem("tracker"):
            tracker = _Tracker(request["host"], request["port"])
        _say(devices=tracker.count(request["key"]))
        if request["library"] is not None:
            _say(answer=_answer(tracker, request, request["library"]))
    except Problem as problem:
        _say(problem=problem.kind, message=str(problem), **problem.more)


class _Tracker:
    """The tracker's own protocol, which `tvm.rpc` speaks without time limits."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        from tvm.rpc import base

        self._base = base
        magic = struct.pack("<i", base.RPC_TRACKER_MAGIC)
        self._socket.sendall(magic)
        if base.recvall(self._socket, len(magic)) != magic:
            raise Problem("tracker", "something else answers there")

    def count(self, key: str) -> int:
        with _problem("tracker"):
            servers = self._ask(self._base.TrackerCode.SUMMARY)["server_info"]
        keys = [server["key"].partition(":")[2] for server in servers]
        if key not in keys:
            raise Problem("key", "no device has this key", keys=sorted(set(keys)))
        return keys.count(key)

    def device(self, key: str, wait_s: int) -> tuple[str, int, str]:
        """Address and port of a device that is free, and the word that opens it."""
        self._socket.settimeout(wait_s)
        try:
            host, port, word = self._ask(self._base.TrackerCode.REQUEST, key, "", 1)
        except TimeoutError as error:
            raise Problem("busy", f"no device became free within {wait_s} s") from error
        except OSError as error:
            raise Problem("tracker", str(error)) from error
        return host, port, word

    def _ask(self, *words: Any) -> Any:
        self._base.sendjson(self._socket, list(words))
        code, value = self._base.recvjson(self._socket)
        if code != self._base.TrackerCode.SUCCESS:
            raise Problem("tracker", f"it refuses: {value}")
        return value


def _answer(tracker: _Tracker, request: Request, library: str) -> str:
    host, port, word = tracker.device(request["key"], request["wait_s"])
    _say(device=f"{host}:{port}")
    from tvm import rpc

    signal.alarm(request["arrive_s"])
    with _problem("device"):
        session = rpc.connect(host, port, word, request["session_s"])
        session.upload(library, _UPLOADED)
    # The server ends a session that takes too long, if it can.
    signal.alarm(request["session_s"] + _CONNECT_S)
    try:
        with _problem("device", library=_REFUSED_LIBRARY):
            module = session.load_module(_UPLOADED)
        with _problem("device", function="the probe"):
            return str(module[request["function"]](request["text"]))
    finally:
        with _problem("device"):
            session.remove(_UPLOADED)


@contextmanager
def _problem(otherwise: str, **signs: str) -> Iterator[None]:
    """Errors as problems of that kind; where the message holds a sign, of the sign's kind."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        message = str(error)
        kind = next((kind for kind, sign in signs.items() if sign in message), otherwise)
        raise Problem(kind, _last_line(message)) from error


def _last_line(message: str) -> str:
    return (message.strip().splitlines() or ["no reason given"])[-1]


def _say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
