"""Boards of a TVM RPC tracker: TVM's own tracker and servers on loopback, and what goes wrong with them."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgebin.board.tracker.tracker import Tracker, parse_tracker
from edgebin.errors import BoardError, InputError, TargetMismatch
from edgebin.kernels.probe import probe_library
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.runtime import runtime_libraries
from tests.board.farm import Farm, end, needs_farm

needs_x86 = pytest.mark.skipif(host_arch() != "x86_64", reason="builds the probe for x86-64 and loads it here")
KEY = "here"


def library(target_id: str = "x86-64") -> Path:
    target = load_target(target_id)
    return probe_library(target, find_compiler(target), runtime_libraries(target, fetch=True))


@needs_farm
@needs_x86
def test_the_probe_answers_each_line_and_nothing_is_left(farm: Farm) -> None:
    lines = ["machine", "kernel rows scalar bits 1 5 40", "no such command", "kernel rows scalar bits 1 5 40"]
    answers = [json.loads(line) for line in farm.tracker(KEY).ask(library(), lines).splitlines()]
    assert answers[0]["arch"] == "x86_64"
    assert [answer.get("exact") for answer in answers] == [None, True, None, True]
    assert answers[2] == {"failed": 2}
    log = next(farm.folder.glob(f"{KEY}-*.log")).read_text()
    used = [line.split()[-1] for line in log.splitlines() if "start serving at" in line]
    assert used
    assert not [folder for folder in used if Path(folder).exists()]


@needs_farm
@needs_x86
def test_a_key_that_nobody_has_lists_those_that_there_are(farm: Farm) -> None:
    with pytest.raises(BoardError, match="no device of the key `rpi4b`") as error:
        farm.tracker("rpi4b").ask(library(), ["machine"])
    assert f"{KEY}, x86-64" in (error.value.hint or "")
    assert f"--tracker 127.0.0.1:{farm.port} --key rpi4b" in (error.value.hint or "")
    assert farm.tracker(KEY).devices() == 1


@needs_farm
def test_a_device_of_another_architecture_is_a_mismatch(farm: Farm) -> None:
    with pytest.raises(TargetMismatch, match=rf"127\.0\.0\.1:\d+ of tracker key {KEY} cannot load") as error:
        farm.tracker(KEY).ask(library("rpi4b"), ["machine"])
    assert "architecture" in (error.value.hint or "")


@needs_farm
@needs_x86
def test_a_device_that_is_taken_is_not_waited_for_for_ever(farm: Farm) -> None:
    from tvm import rpc

    session = rpc.connect_tracker("127.0.0.1", farm.port).request(KEY)
    with pytest.raises(BoardError, match=f"all 1 devices of tracker key {KEY} are taken: .* within 1 s"):
        farm.tracker(KEY, wait_s=1).ask(library(), ["machine"])
    del session
    assert farm.tracker(KEY).ask(library(), ["machine"])


@pytest.mark.slow
@needs_farm
@needs_x86
def test_a_device_that_is_gone_and_one_that_hangs_are_replaced_by_one_that_answers(farm: Farm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_port = silent.getsockname()[1]
        with _announced(farm, "mixed", 1), _announced(farm, "mixed", silent_port):
            with pytest.raises(BoardError, match="no device of tracker key mixed answers") as error:
                farm.tracker("mixed", arrive_s=2, wait_s=1).ask(library(), ["machine"])
            assert "127.0.0.1:1: " in error.value.message
            assert f"127.0.0.1:{silent_port}: no answer in time" in error.value.message
    with _announced(farm, "mended", 1):
        farm.serve("mended")
        assert json.loads(farm.tracker("mended").ask(library(), ["machine"]))["arch"] == "x86_64"


@pytest.mark.slow
@needs_farm
@needs_x86
def test_a_device_that_dies_over_its_work_is_said_to(farm: Farm) -> None:
    (server,) = farm.serve("doomed")
    log = next(farm.folder.glob("doomed-*.log"))

    def kill() -> None:
        while "load_module" not in log.read_text():
            time.sleep(0.1)
        end(server)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(BoardError, match=r"no device of tracker key doomed answers: 127\.0\.0\.1:\d+: "):
        farm.tracker("doomed").ask(library(), ["kernel b1_gemm scalar f32 59999ms 512 4096 4096"])
    killer.join()


@contextmanager
def _announced(farm: Farm, key: str, port: int) -> Iterator[None]:
    """A device that the tracker knows, at a port where nobody serves."""
    from tvm.rpc import base

    with socket.create_connection(("127.0.0.1", farm.port)) as connection:
        connection.sendall(struct.pack("<i", base.RPC_TRACKER_MAGIC))
        base.recvall(connection, 4)
        announcement = {"key": f"server:{key}", "addr": ("127.0.0.1", port)}
        for words in (
            [base.TrackerCode.UPDATE_INFO, announcement],
            [base.TrackerCode.PUT, key, (port, f"{key}:0.5"), "127.0.0.1"],
        ):
            base.sendjson(connection, words)
            assert base.recvjson(connection) == base.TrackerCode.SUCCESS
        yield


def test_no_tracker_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(BoardError, match=f"no TVM RPC tracker at 127.0.0.1:{port}: .*refused") as error:
        Tracker("127.0.0.1", port, KEY).devices()
    assert "rpc_tracker" in (error.value.hint or "")


def test_something_else_answers_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                connection.recv(100)

        greeter = threading.Thread(target=greet)
        greeter.start()
        with pytest.raises(BoardError, match=r"no TVM RPC tracker at .*: something else answers there"):
            Tracker("127.0.0.1", server.getsockname()[1], KEY).devices()
        greeter.join()


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("farm:9190", "farm", 9190), ("192.168.1.10:1", "192.168.1.10", 1), ("[fe80::1%eth0]:9190", "fe80::1%eth0", 9190)],
)
def test_addresses(address: str, host: str, port: int) -> None:
    tracker = parse_tracker(address, "rpi4b")
    assert (tracker.host, tracker.port, tracker.address) == (host, port, address)


@pytest.mark.parametrize("address", ["farm", "farm:", ":9190", "farm:0", "farm:65536", "a b:1", "-x;y:1", "::1:9190"])
def test_no_addresses(address: str) -> None:
    with pytest.raises(InputError, match="is no address of a tracker"):
        parse_tracker(address, "rpi4b")


@pytest.mark.parametrize("key", ["", "a b", "x;y", "rpi4b -timeout=1"])
def test_no_keys(key: str) -> None:
    with pytest.raises(InputError, match="is no key of devices"):
        parse_tracker("farm:9190", key)
