"""A connection over SSH that never stands, and one that breaks in the middle of each operation."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from edgebin.board.transports.ssh import SshTransport, ssh_destination
from edgebin.board.transports.ssh.failure import hint
from edgebin.board.transports.ssh.shell import remote_line, unwrap_stderr, unwrap_stdout
from edgebin.errors import BoardError, ConnectionLost, InputError
from tests.board.sshd import Sshd, children, program_of
from tests.board.transports.test_transports import HOSTILE, place, wait_for_end


@pytest.fixture
def way(board: Sshd) -> Iterator[SshTransport]:
    transport = SshTransport(board.host)
    yield transport
    transport.close()


def cut_server(board: Sshd) -> None:
    board.cut()


def cut_master(board: Sshd) -> None:
    masters = [pid for pid in children(os.getpid()) if "ControlMaster=yes" in command_of(pid)]
    assert len(masters) == 1
    os.kill(masters[0], signal.SIGKILL)


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


both_ends = pytest.mark.parametrize("cut", [cut_server, cut_master])
Cut = Callable[[Sshd], None]


def when(condition: Callable[[], bool], action: Callable[[], None]) -> threading.Thread:
    """Does it in another thread as soon as it may."""

    def work() -> None:
        while not condition():
            time.sleep(0.002)
        action()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@both_ends
def test_while_a_program_runs(way: SshTransport, board: Sshd, tmp_path: Path, cut: Cut) -> None:
    cutter = when((tmp_path / "pid").exists, lambda: cut(board))
    with pytest.raises(ConnectionLost, match="the connection to board broke"):
        way.run(["sh", "-c", f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; sleep 1000"])
    cutter.join()
    wait_for_end(tmp_path / "pid")
    assert way.run(["echo", "again"]).stdout == b"again\n"


@both_ends
def test_while_lines_come(way: SshTransport, board: Sshd, cut: Cut) -> None:
    with way.stream(["sh", "-c", "echo one; printf half; echo two >&2; sleep 1000"]) as lines:
        assert next(lines) == b"one"
        time.sleep(0.1)  # for the half line to be under way; it must never look like a whole one
        cut(board)
        with pytest.raises(ConnectionLost):
            next(lines)
    with way.stream(["echo", "again"]) as lines:
        assert list(lines) == [b"again"]


@both_ends
def test_while_a_file_is_put(way: SshTransport, board: Sshd, tmp_path: Path, cut: Cut) -> None:
    folder = tmp_path / "there"
    data = os.urandom(1 << 20) * 64
    way.run(["true"])
    cutter = when(lambda: any(folder.glob(".edgebin-*/0")), lambda: cut(board))
    with pytest.raises(ConnectionLost):
        way.put({place(folder, "file"): data})
    cutter.join()
    while list(folder.iterdir()):  # the shell there clears up by itself; a test that hangs here has found a leak
        time.sleep(0.01)
    way.put({place(folder, "file"): data})
    assert (folder / "file").read_bytes() == data


@both_ends
def test_while_a_file_is_fetched(way: SshTransport, board: Sshd, tmp_path: Path, cut: Cut) -> None:
    os.mkfifo(tmp_path / "slow")

    def feed() -> None:
        with (tmp_path / "slow").open("wb") as stream:
            stream.write(b"half")
            stream.flush()
            cut(board)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with pytest.raises(ConnectionLost):
        way.get(place(tmp_path, "slow"), tmp_path / "here")
    feeder.join()
    assert not (tmp_path / "here").exists()
    (tmp_path / "whole").write_bytes(b"whole")
    way.get(place(tmp_path, "whole"), tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == b"whole"


def test_nothing_runs_on_of_a_host_that_is_killed(board: Sshd, tmp_path: Path, short_tmp: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(short_tmp)}  # the connection's folder is all that stays
    code = (
        f"from edgebin.board.transports.ssh import SshTransport\nway = SshTransport('{board.host}')\n"
        f"with way.stream(['sh', '-c', 'echo $$ > {tmp_path}/pid; echo up; sleep 1000']) as lines:\n"
        "    print(next(lines), flush=True)\n    input()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True, env=environment) as host:
        assert host.stdout is not None
        assert "up" in host.stdout.readline()
        host.kill()
    wait_for_end(tmp_path / "pid")
    while board.connections():
        time.sleep(0.01)


@pytest.mark.slow
def test_a_link_that_is_dead_without_saying_so(way: SshTransport, board: Sshd) -> None:
    """No end of the connection is told: the server just does not answer any more. A test that hangs here has failed."""
    way.run(["true"])
    stopped = [pid for server in board.connections() for pid in (server, *children(server))]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ConnectionLost, match="not responding"):
            way.run(["sleep", "1000"])
        assert way.run(["echo", "again"]).stdout == b"again\n"
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_nothing_runs_or_stays_open_after_close(board: Sshd, short_tmp: Path) -> None:
    def alive() -> list[int]:
        return [pid for pid in children(os.getpid()) if program_of(pid) == "ssh"]

    files = len(os.listdir("/proc/self/fd"))
    for end in (cut_server, cut_master, None):
        way = SshTransport(board.host)
        with way.stream(["sleep", "1000"]):
            assert len(alive()) == 2
            assert len(list(short_tmp.iterdir())) == 1
            if end is not None:
                end(board)
        way.close()
        way.close()
    assert alive() == []
    assert len(os.listdir("/proc/self/fd")) == files
    assert list(short_tmp.iterdir()) == []
    while board.connections():
        time.sleep(0.01)


def test_a_board_that_comes_back_later(way: SshTransport, board: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was reached once is lost until it is there again, not unknown."""
    assert way.run(["true"]).returncode == 0
    board.cut()
    monkeypatch.setattr(way, "host", board.nowhere)
    for _ in range(3):  # the first may still meet the broken one
        with pytest.raises(ConnectionLost):
            way.run(["true"])
    monkeypatch.setattr(way, "host", board.host)
    assert way.run(["true"]).returncode == 0


def changed_config(board: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    text = board.config.read_text()
    assert old in text
    (tmp_path / "config").write_text(text.replace(old, new))
    monkeypatch.setenv("EDGEBIN_SSH_CONFIG", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("old", "new", "said", "helps"),
    [
        ("HostName 127.0.0.1", "HostName no-such-board.invalid", "resolve hostname", "NAME.local"),
        ("/user\n", "/missing\n", "Permission denied", "ssh-copy-id board"),
        ("/known\n", "/unknown\n", "Host key verification failed", "`ssh board` once by hand"),
        ("Host board nowhere\n", "Host board nowhere\n Nonsense yes\n", "onfiguration option", "EDGEBIN_SSH_CONFIG"),
    ],
)
def test_why_a_board_was_not_reached(
    board: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str, helps: str
) -> None:
    changed_config(board, tmp_path, monkeypatch, old, new)
    with pytest.raises(BoardError, match=f"cannot reach board: (.|\n)*{said}") as error:
        SshTransport(board.host).run(["true"])
    assert not isinstance(error.value, ConnectionLost)
    assert helps in (error.value.hint or "")


def test_a_host_key_that_has_changed(board: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = (board.folder / "user.pub").read_text()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{board.port} {other}")
    changed_config(board, tmp_path, monkeypatch, f"{board.folder}/known", f"{tmp_path}/known")
    with pytest.raises(BoardError, match="IDENTIFICATION HAS CHANGED") as error:
        SshTransport(board.host).run(["true"])
    assert "ssh-keygen -R board" in (error.value.hint or "")


def test_where_nothing_listens(board: Sshd) -> None:
    with pytest.raises(BoardError, match="Connection refused") as error:
        SshTransport(board.nowhere).run(["true"])
    assert "no SSH server listens" in (error.value.hint or "")


def test_what_listens_but_is_no_ssh_server(board: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgebin.board.transports.ssh.connection._OPEN_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        changed_config(board, tmp_path, monkeypatch, f"Port {board.port}", f"Port {mute.getsockname()[1]}")
        with pytest.raises(BoardError, match="board did not answer within 1 s"):
            SshTransport(board.host).run(["true"])


def test_what_a_users_configuration_does_for_people(
    board: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Multiplexing of their own stays untouched, and no command, terminal or forwarding of theirs gets in the way."""
    changed_config(
        board, tmp_path, monkeypatch, "Host board\n",
        f"Host board\n RemoteCommand top\n RequestTTY force\n ControlMaster auto\n ControlPath {tmp_path}/theirs\n"
        f" ControlPersist 600\n LocalForward {tmp_path}/forward 127.0.0.1:1\n PermitLocalCommand yes\n"
        f" LocalCommand touch {tmp_path}/local\n IgnoreUnknown UseKeychain\n UseKeychain yes\n",
    )  # fmt: skip
    way = SshTransport(board.host)
    assert way.run(["cat"], stdin=b"a\nb").stdout == b"a\nb"
    way.close()
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_login_scripts_that_talk(board: Sshd) -> None:
    (board.home / ".bashrc").write_text("echo welcome\necho careful >&2\n")  # bash reads it for sshd
    way = SshTransport(board.host)
    done = way.run(["sh", "-c", "echo out; echo err >&2"])
    assert (done.stdout, done.stderr) == (b"out\n", "err\n")
    with way.stream(["echo", "line"]) as lines:
        assert list(lines) == [b"line"]
    way.close()


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "ksh", "busybox sh", "fish", "tcsh"])
@pytest.mark.parametrize("fed", [True, False])
def test_words_pass_any_login_shell(tmp_path: Path, shell: str, fed: bool) -> None:
    program, *rest = shell.split()
    if shutil.which(program) is None:
        pytest.skip(f"no {program} on this machine")
    line = remote_line(["printf", "%s\\0", *HOSTILE], "edgebin-0123", fed=fed)
    with subprocess.Popen([program, *rest, "-c", line], stdin=-1, stdout=-1, stderr=-1, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        stdout, stderr = process.stdout.read(), process.stderr.read()
    written = unwrap_stdout(stdout, "edgebin-0123")
    assert written is not None
    assert [os.fsdecode(word) for word in written.split(b"\0")] == [*HOSTILE, ""]
    assert unwrap_stderr(stderr, "edgebin-0123") == ("", 0)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_broke_off_is_not_taken_for_whole() -> None:
    stderr, stdout = b"noise\nedgebin-0\nwritten\nedgebin-0 7\n", b"noise\nedgebin-0\nwritten edgebin-0\n"
    assert unwrap_stderr(stderr, "edgebin-0") == ("written\n", 7)
    assert unwrap_stdout(stdout, "edgebin-0") == b"written "
    for missing in range(1, 40):
        assert unwrap_stderr(stderr[:-missing], "edgebin-0") is None
        assert unwrap_stdout(stdout[:-missing], "edgebin-0") is None


def test_a_login_that_runs_no_command(board: Sshd) -> None:
    (board.home / ".bashrc").write_text("echo this account is not available >&2\nexit 1\n")
    with pytest.raises(BoardError, match=r"board lets us in but runs no command \(exit code 1\): this account is not"):
        SshTransport(board.host).run(["true"])


@pytest.mark.parametrize(
    "name",
    ["-oProxyCommand=reboot", "", "a b", "a;b", "$(reboot)", "pi\n", "`x`", "/etc", "--", "-p22", "pi@-oX", "a@b@c",
     "ssh://", "ssh://-oX", "ssh://a b", "ssh://pi@board:99999999", "ssh://board/path", "[::1]", "pi@", "é", "a'b"],
)  # fmt: skip
def test_what_is_no_name_of_a_machine(name: str) -> None:
    with pytest.raises(InputError, match="is no name of a machine"):
        SshTransport(name)


@pytest.mark.parametrize(
    "name",
    ["pi@board", "board.local", "10.0.0.7", "pi@fe80::1%eth0", "::1", "my-user@b", "ssh://pi@board:2222", "ssh://[::1]:22",
     "ssh://pi@10.0.0.7"],
)  # fmt: skip
def test_names_of_machines(name: str) -> None:
    assert ssh_destination(name) == name


def test_a_uri_reaches_a_board(board: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed_config(board, tmp_path, monkeypatch, "Host board nowhere\n", "Host 127.0.0.1\n")
    way = SshTransport(f"ssh://127.0.0.1:{board.port}")
    assert way.run(["echo", "here"]).stdout == b"here\n"
    assert way.folder == PurePosixPath(board.board_folder)
    way.close()


def test_a_board_behind_another(board: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = f" IdentityFile {board.folder}/user\n UserKnownHostsFile {board.folder}/known\n Port {board.port}\n"
    behind = f"Host behind\n HostName 127.0.0.1\n ProxyJump board\n{own}Host board\n"
    changed_config(board, tmp_path, monkeypatch, "Host board\n", behind)
    way = SshTransport("behind")
    assert way.run(["echo", "here"]).stdout == b"here\n"
    assert len(board.connections()) == 2
    with way.stream(["sleep", "1000"]) as lines:
        board.cut()
        with pytest.raises(ConnectionLost):
            next(lines)
    assert way.run(["echo", "here"]).stdout == b"here\n"
    way.close()
    while board.connections():
        time.sleep(0.01)


def test_hints_name_the_host() -> None:
    assert hint("Connection timed out", "ssh://pi@board") == "is the board on, and in this network? `ping board`"
    assert "`ssh pi@board true`" in hint("something new", "pi@board")
