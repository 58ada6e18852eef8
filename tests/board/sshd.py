"""A real sshd of the tests' own on the loopback interface: own port, keys, configuration and home folder."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgebin.board.transports.ssh import SshTransport


@dataclass(frozen=True)
class Sshd:
    """`host` is the name that `$EDGEBIN_SSH_CONFIG` knows; `nowhere` is one where nothing listens."""

    folder: Path
    port: int
    pid: int
    host: str = "board"
    nowhere: str = "nowhere"

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def home(self) -> Path:
        """The home folder of whoever logs in."""
        return self.folder / "home"

    @property
    def board_folder(self) -> Path:
        """The one that edgebin keeps everything in there."""
        return self.home / ".cache" / "edgebin" / "board"

    def connections(self) -> list[int]:
        """The processes of sshd that serve a connection each."""
        return children(self.pid)

    def cut(self) -> None:
        """Breaks all connections, as if the network were gone; what runs on the board is not ended by it."""
        for pid in self.connections():
            for process in (*(child for child in children(pid) if program_of(child) == "sshd"), pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == pid:
                found.append(int(entry.name))
    return found


def program_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """The server, for all tests of a session; most want `board`."""
    server_program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    keygen = shutil.which("ssh-keygen")
    if server_program is None or shutil.which("ssh") is None or keygen is None:
        pytest.skip("no sshd on this machine: apt install openssh-server openssh-client")
    folder = tmp_path_factory.mktemp("sshd")
    for key in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    (folder / "home").mkdir()
    port = free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"SetEnv HOME={folder}/home\n"
    )
    host_key = (folder / "host.pub").read_text()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {host_key}")
    (folder / "config").write_text(
        f"Host board nowhere\n HostName 127.0.0.1\n User {getpass.getuser()}\n IdentityFile {folder}/user\n"
        f" IdentitiesOnly yes\n UserKnownHostsFile {folder}/known\n GlobalKnownHostsFile none\n"
        f" StrictHostKeyChecking yes\nHost board\n Port {port}\nHost nowhere\n Port {free_port()}\n"
    )
    with subprocess.Popen(
        [server_program, "-D", "-e", "-f", folder / "sshd_config"], stderr=(folder / "log").open("wb")
    ) as server:
        try:
            for _ in range(200):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None:
                    pytest.skip(f"sshd does not start here: {(folder / 'log').read_text().strip()}")
                time.sleep(0.05)
            yield Sshd(folder, port, server.pid)
        finally:
            server.terminate()


@pytest.fixture
def short_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary ones that is the test's own, and has a name that is short enough for sockets in it."""
    with tempfile.TemporaryDirectory(prefix="eb-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def ssh_way(sshd: Sshd) -> Iterator[SshTransport]:
    """A way there that all tests of a module share, for those that neither break it nor need an empty board."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBIN_SSH_CONFIG", str(sshd.config))
        transport = SshTransport(sshd.host)
        transport.run(["true"])
    yield transport
    transport.close()


@pytest.fixture
def board(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """The server with edgebin's ssh configured for it, by the variable that users have for it too. Empty each time."""
    monkeypatch.setenv("EDGEBIN_SSH_CONFIG", str(sshd.config))
    yield sshd
    shutil.rmtree(sshd.home)
    sshd.home.mkdir()
