"""What every way to a machine keeps to: words, outputs and files arrive as they are, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

import pytest

from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.transport import Transport
from edgebin.errors import BoardError, ConnectionLost, InputError
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler

# Whatever a user can think of as a name; `mark` would be made by any shell that takes it for more than that.
HOSTILE = (
    "two words",
    'quote\' and "quote"',
    "$(touch mark)",
    "`touch mark`",
    "; touch mark ;",
    "a\nb\n",
    "-rf",
    "--help",
    "~",
    "*",
    "!!",
    "\\0041\\n",
    "é ü 漢",
    "%s%n",
    "",
    " ",
    "$HOME",
    "&& touch mark",
    "| touch mark",
    "a\tb\r",
    "edgebin-0",
    "\x01\x7f",
    os.fsdecode(b"\xff\xfe"),
)


@pytest.fixture(params=["local", "ssh"])
def way(request: pytest.FixtureRequest) -> Transport:
    if request.param == "local":
        return LocalTransport()
    request.getfixturevalue("board")
    shared: Transport = request.getfixturevalue("ssh_way")
    return shared


def place(tmp_path: Path, *parts: str) -> PurePosixPath:
    return PurePosixPath(tmp_path, *parts)


def test_each_word_arrives_as_it_is(way: Transport, tmp_path: Path) -> None:
    script = "import os, sys; sys.stdout.buffer.write(b'\\0'.join(map(os.fsencode, sys.argv[1:])))"
    done = way.run(["env", "-C", str(tmp_path), sys.executable, "-c", script, *HOSTILE])
    assert [os.fsdecode(word) for word in done.stdout.split(b"\0")] == list(HOSTILE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [0, 1, 125, 128, 254, 255])
def test_exit_codes(way: Transport, code: int) -> None:
    done = way.run(["sh", "-c", f"printf out; printf err >&2; exit {code}"])
    assert (done.returncode, done.stdout, done.stderr) == (code, b"out", "err")


def test_a_program_that_a_signal_kills(way: Transport) -> None:
    assert way.run(["sh", "-c", "kill -KILL $$"]).returncode in (-9, 137)


def test_outputs_are_kept_apart_and_whole(way: Transport) -> None:
    script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4000); sys.stderr.write('x' * 300000)"
    done = way.run([sys.executable, "-c", script])
    assert done.stdout == bytes(range(256)) * 4000
    assert done.stderr == "x" * 300000


def test_standard_input_arrives_and_ends(way: Transport) -> None:
    data = bytes(range(256)) * 4000
    assert way.run(["cat"], stdin=data).stdout == data
    assert way.run(["cat"]).stdout == b""


@pytest.mark.parametrize("command", ["no-such-program", "/etc/passwd", "/"])
def test_what_cannot_be_started(way: Transport, command: str) -> None:
    with pytest.raises(BoardError, match="cannot run") as error:
        way.run([command])
    assert not isinstance(error.value, ConnectionLost)


def test_a_program_that_takes_too_long_is_ended(way: Transport, tmp_path: Path) -> None:
    with pytest.raises(ConnectionLost, match=r"within 0.5 s"):
        way.run(["sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 1000"], timeout_s=0.5)
    wait_for_end(tmp_path / "pid")
    assert way.run(["echo", "on"]).stdout == b"on\n"


def test_lines_come_as_they_are_written(way: Transport, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    with way.stream(["sh", "-c", f"echo one; cat {tmp_path}/go; printf three"]) as lines:
        assert next(lines) == b"one"
        (tmp_path / "go").write_text("two\n")
        assert list(lines) == [b"two", b"three"]


def test_leaving_a_stream_ends_its_program_and_its_children(way: Transport, tmp_path: Path) -> None:
    script = f"sh -c 'echo $$ > {tmp_path}/child; sleep 1000' & echo $$ > {tmp_path}/pid; echo up; wait"
    with way.stream(["sh", "-c", script]) as lines:
        assert next(lines) == b"up"
        while not (tmp_path / "child").exists():
            time.sleep(0.01)
    wait_for_end(tmp_path / "pid")
    wait_for_end(tmp_path / "child")


def test_what_has_detached_itself_goes_on(way: Transport, tmp_path: Path) -> None:
    script = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 1000' >/dev/null 2>&1 </dev/null &"
    way.run(["sh", "-c", f"{script} while [ ! -s {tmp_path}/pid ]; do sleep 0.01; done"])
    way.close()
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 15)  # raises where it has ended


def test_a_stream_of_a_program_that_fails_just_ends(way: Transport) -> None:
    with way.stream(["sh", "-c", "echo a; exit 255"]) as lines:
        assert list(lines) == [b"a"]


def test_files_go_there_and_back_under_any_name(way: Transport, tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(b"\0content\n")
    for name in filter(None, HOSTILE):
        path = place(tmp_path, "there", name, name)
        way.put({path: tmp_path / "here", path.parent / "other": b"bytes"})
        way.get(path, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == b"\0content\n"
        assert Path(path.parent / "other").read_bytes() == b"bytes"
        assert sorted(os.listdir(path.parent)) == sorted([name, "other"])
        (tmp_path / "back").unlink()
    assert sorted(os.listdir(tmp_path / "there")) == sorted(filter(None, HOSTILE))
    assert sorted(os.listdir(tmp_path)) == ["here", "there"]


def test_modes(way: Transport, tmp_path: Path) -> None:
    way.put({place(tmp_path, "data"): b""})
    way.put({place(tmp_path, "program"): b"#!/bin/sh\necho ran\n"}, executable=True)
    assert oct((tmp_path / "data").stat().st_mode & 0o777) == "0o644"
    assert way.run([str(tmp_path / "program")]).stdout == b"ran\n"


def test_a_file_that_is_there_is_replaced_at_once(way: Transport, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    with (tmp_path / "old").open() as open_before:
        way.put({place(tmp_path, "old"): b"new"})
        assert open_before.read() == "old"
    assert (tmp_path / "old").read_text() == "new"


def test_a_file_that_is_not_there(way: Transport, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"cannot read `.*/missing` on .*: .*[Nn]o such file"):
        way.get(place(tmp_path, "missing"), tmp_path / "back")
    with pytest.raises(InputError, match="cannot read"):
        way.put({place(tmp_path, "there"): tmp_path / "missing"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_file(way: Transport, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BoardError, match="cannot write"):
        way.put({place(tmp_path, "folder"): b"x"})
    with pytest.raises(BoardError, match="cannot read"):
        way.get(place(tmp_path, "folder"), tmp_path / "back")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_where_nothing_may_be_written(way: Transport) -> None:
    with pytest.raises(BoardError, match=r"cannot write .*") as error:
        way.put({PurePosixPath("/proc/edgebin/x"): b"x"})
    assert "df -h" in (error.value.hint or "")


def test_a_full_disk(way: Transport, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path / "small"], check=False)
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        with pytest.raises(BoardError, match=r"No space left on device|\n0 KiB are free there"):
            way.put({place(tmp_path, "small", "a"): b"a" * 100_000})
        assert list((tmp_path / "small").iterdir()) == []
        way.put({place(tmp_path, "small", "a"): b"a" * 10_000})
    finally:
        subprocess.run(["umount", tmp_path / "small"], check=True)


def test_a_command_line_to_paste(way: Transport, tmp_path: Path) -> None:
    line = way.command_line(["printf", "%s|", "a b", "$(touch mark)"])
    done = subprocess.run(["bash", "-c", line], capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout == b"a b|$(touch mark)|"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no qemu-aarch64 on this machine")
def test_the_emulator_runs_what_is_for_a_board_and_this_host_the_rest(tmp_path: Path) -> None:
    target = load_target("rpi5")
    (tmp_path / "say.c").write_text('#include <stdio.h>\nint main(int n, char** v) { printf("%d %s", n, v[1]); }\n')
    find_compiler(target).compile([tmp_path / "say.c"], tmp_path / "say")
    transport = QemuTransport(target)
    assert transport.emulated
    assert transport.name == "QEMU (cortex-a76)"
    assert transport.run([str(tmp_path / "say"), "a b"]).stdout == b"2 a b"
    assert transport.run(["sh", "-c", "printf $1", "x", "y"]).stdout == b"y"


def wait_for_end(pid_file: Path) -> None:
    """Returns when the process is gone; a test that hangs here has found a leak."""
    status = Path("/proc", pid_file.read_text().strip(), "stat")
    with contextlib.suppress(OSError):  # gone while it is read
        while " Z " not in status.read_text():
            time.sleep(0.01)
