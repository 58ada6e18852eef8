"""Places that run a program: here, and another machine over a real sshd on the loopback interface."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgebin.board.programs import Emulated, Here, Remote, place_of
from edgebin.errors import BoardError, InputError
from edgebin.targets import load_target

# Says where it is, then repeats what it is told.
ECHO = '#!/bin/sh\necho "$1 $PWD"\nexec cat\n'
FAILING = "#!/bin/sh\necho the end is near >&2\nexit 7\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def ssh_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an `ssh` that knows the host `board`, which is an sshd of this test's own, and `nowhere`."""
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    ssh, keygen = shutil.which("ssh"), shutil.which("ssh-keygen")
    if sshd is None or ssh is None or keygen is None:
        pytest.skip("no sshd on this machine: apt install openssh-server openssh-client")
    folder = tmp_path_factory.mktemp("ssh")
    for key in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
    )
    (folder / "config").write_text(
        f"Host board nowhere\n HostName 127.0.0.1\n User {getpass.getuser()}\n IdentityFile {folder}/user\n"
        f" IdentitiesOnly yes\n UserKnownHostsFile {folder}/known\n StrictHostKeyChecking no\n LogLevel ERROR\n"
        f"Host board\n Port {port}\nHost nowhere\n Port {free_port()}\n"
    )
    (folder / "bin").mkdir()
    wrapper = folder / "bin" / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {ssh} -F {folder}/config "$@"\n')
    wrapper.chmod(0o755)
    with subprocess.Popen(
        [sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            for _ in range(100):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None:
                    pytest.skip(f"sshd does not start here: {server.stderr.read().strip()}")  # type: ignore[union-attr]
                time.sleep(0.05)
            yield folder / "bin"
        finally:
            server.terminate()


@pytest.fixture
def board(ssh_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.setenv("PATH", f"{ssh_folder}:{os.environ['PATH']}")
    return Remote("board")


def program(folder: Path, text: str) -> Path:
    path = folder / "script"
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_this_host_answers(tmp_path: Path) -> None:
    assert Here().run(program(tmp_path, "#!/bin/sh\necho $1\ncat\n"), ["a b", "c"]) == "batch\na b\nc\n"


def test_another_host_answers_and_keeps_nothing(board: Remote, tmp_path: Path) -> None:
    first, *rest = board.run(program(tmp_path, ECHO), ["machine", "kernel b1_gemm"]).splitlines()
    word, folder = first.split()
    assert word == "batch"
    assert rest == ["machine", "kernel b1_gemm"]
    assert Path(folder).is_absolute()
    assert not Path(folder).exists()


def test_lines_never_reach_a_shell(board: Remote, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    lines = [f"$(touch {mark})", f"'; touch {mark}; '", f"`touch {mark}`"]
    assert board.run(program(tmp_path, ECHO), lines).splitlines()[1:] == lines
    assert not mark.exists()


def test_a_program_that_fails_is_reported_and_leaves_nothing(board: Remote, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with pytest.raises(BoardError, match="ended with 7 on board\nthe end is near"):
        board.run(program(tmp_path, FAILING.replace("echo", f"pwd > {kept}\necho", 1)), [])
    assert not Path(kept.read_text().strip()).exists()


def test_a_program_for_another_processor(board: Remote, tmp_path: Path) -> None:
    alien = program(tmp_path, "")
    alien.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57))
    with pytest.raises(BoardError, match="board cannot run the program") as error:
        board.run(alien, [])
    assert "-t" in (error.value.hint or "")


def test_a_host_that_is_not_there(board: Remote, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"cannot reach nowhere: .*refused") as error:
        Remote("nowhere").run(program(tmp_path, ECHO), [])
    assert error.value.hint == "`ssh nowhere true` has to work without asking for anything"


@pytest.mark.parametrize("name", ["-oProxyCommand=reboot", "", "a b", "a;b", "$(reboot)", "pi\n", "`x`", "/etc"])
def test_what_is_no_name_of_a_machine(name: str) -> None:
    with pytest.raises(InputError, match="is no name of a machine"):
        place_of(name)


@pytest.mark.parametrize("name", ["pi@board", "board.local", "10.0.0.7", "pi@fe80::1%eth0"])
def test_names_of_machines(name: str) -> None:
    assert place_of(name) == Remote(name)
    assert place_of("local") == Here()


def test_the_emulator_says_that_it_is_one() -> None:
    place = Emulated(load_target("rpi5"))
    assert place.emulated
    assert place.name == "QEMU (cortex-a76)"
