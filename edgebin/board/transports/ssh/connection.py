"""One connection to a board that all commands share: a private master process of `ssh`."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO

from edgebin.board.transports.ssh.failure import hint, summary
from edgebin.board.transports.ssh.shell import shell_line
from edgebin.errors import BoardError, ToolchainError

CONFIG_VARIABLE = "EDGEBIN_SSH_CONFIG"
_CONNECT_SECONDS = 15
_OPEN_SECONDS = 60  # with jumps on the way, and keys that want to be touched
_END_SECONDS = 5
_SETTLE_SECONDS = 1
_LONGEST_SOCKET = 80  # of 108 bytes; ssh adds 17 while it makes it

# A dead link is noticed in ServerAliveInterval * (ServerAliveCountMax + 1) = 15 s. What is configured for people at a
# terminal is switched off.
_OPTIONS = (
    *("BatchMode=yes", f"ConnectTimeout={_CONNECT_SECONDS}", "ServerAliveInterval=5", "ServerAliveCountMax=2"),
    *("ControlMaster=yes", "ControlPersist=no", "ClearAllForwardings=yes", "PermitLocalCommand=no"),
    *("RemoteCommand=none", "ForwardAgent=no", "ForwardX11=no"),
)
# The master's own session. It lives as long as its standard input, which this process holds: nothing is left where this
# process is killed.
_HELLO = 'echo {mark} "${{XDG_CACHE_HOME:-${{HOME:?}}/.cache}}"; exec cat >/dev/null'


class Connection:
    """Open from its making until `close`.

    `cache` is the folder there for what can be made again. `mark` is a word that nothing there can know beforehand.

    Raises:
        ToolchainError: there is no `ssh` here.
        BoardError: the board was not reached, and why.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.mark = f"edgebin-{secrets.token_hex(8)}"
        self._folder = _socket_folder()
        self._said = (self._folder / "said").open("a+b")
        self._greeting_bytes = 0
        try:
            self._master = self._start()
            try:
                self.cache = self._hello()
                self._greeting_bytes = os.fstat(self._said.fileno()).st_size
            except BaseException:
                self._end_master()
                raise
        except BaseException:
            self._forget()
            raise

    def client(self, line: str) -> list[str]:
        """The command that runs `line` there over this connection, and never over a new one."""
        # No configuration: all of it was the master's. Without a master the proxy is tried, which fails.
        options = ("-F", "none", "-o", "ProxyCommand=false", "-o", "ControlMaster=no", "-S", self._socket, "-T")
        return ["ssh", *options, "--", self.host, line]

    @property
    def alive(self) -> bool:
        """Whether the master still runs; it notices a broken connection after 15 s at the latest."""
        return self._master.poll() is None

    def settle(self) -> None:
        """Waits a moment for a master whose connection has just broken to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._master.wait(_SETTLE_SECONDS)

    def said(self) -> str:
        """What the master has had to say since the connection stands; before, what it has said at all."""
        if self._said.closed:
            return ""
        self._said.seek(self._greeting_bytes)
        return self._said.read().decode(errors="replace")

    def close(self) -> None:
        """Ends the master and forgets its socket."""
        self._end_master()
        self._forget()

    @property
    def _socket(self) -> str:
        return str(self._folder / "s").replace("%", "%%")

    def _start(self) -> subprocess.Popen[bytes]:
        options = [word for option in _OPTIONS for word in ("-o", option)]
        line = shell_line(_HELLO.format(mark=self.mark))
        try:
            return subprocess.Popen(
                ["ssh", *config_words(), *options, "-S", self._socket, "-T", "--", self.host, line],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,  # neither asks at the terminal nor hears Ctrl-C there
            )
        except OSError as error:
            raise ToolchainError(
                f"cannot start `ssh`: {error.strerror}", hint="install the OpenSSH client: apt install openssh-client"
            ) from error

    def _hello(self) -> str:
        timer = threading.Timer(_OPEN_SECONDS, self._master.kill)
        timer.start()
        try:
            for line in _stream(self._master.stdout):
                words = line.decode(errors="replace").rstrip("\n").split(f"{self.mark} ", 1)
                if len(words) == 2:
                    return self._checked(words[1])
        finally:
            timer.cancel()
        code = self._master.wait()
        if code == 255:
            said = self.said()
            raise BoardError(f"cannot reach {self.host}: {summary(said)}", hint=hint(said, self.host))
        if code < 0:
            raise BoardError(f"{self.host} did not answer within {_OPEN_SECONDS} s", hint=hint("", self.host))
        raise BoardError(
            f"{self.host} lets us in but runs no command (exit code {code}): {summary(self.said())}",
            hint=f"`ssh {self.host} true` has to work: is there a shell for this user?",
        )

    def _checked(self, cache: str) -> str:
        if not cache.startswith("/"):
            raise BoardError(f"the user of {self.host} has no folder to keep things in: XDG_CACHE_HOME is {cache!r}")
        return cache

    def _end_master(self) -> None:
        for stream in (self._master.stdin, self._master.stdout):
            _stream(stream).close()
        self._master.terminate()
        try:
            self._master.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._master.kill()
            self._master.wait()

    def _forget(self) -> None:
        self._said.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def config_words() -> list[str]:
    """The words that give `ssh` the configuration in `$EDGEBIN_SSH_CONFIG`; none if that is not set."""
    path = os.environ.get(CONFIG_VARIABLE)
    return ["-F", path] if path else []


def _socket_folder() -> Path:
    """A new private folder whose name is short enough for a socket in it."""
    base = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="edgebin-ssh-", dir=base if len(base) < _LONGEST_SOCKET - 25 else "/tmp"))


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # it was made with a pipe
    return stream
