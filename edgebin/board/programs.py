"""Places that run one static program which reads lines on stdin and answers on stdout: here, QEMU, a host over SSH."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgebin.errors import BoardError, InputError
from edgebin.targets import Target
from edgebin.toolchain.process import tail
from edgebin.toolchain.qemu import qemu_command

LOCAL = "local"

# The whole of what the other machine's shell reads. Program and lines come as an archive on stdin, into a folder that
# goes when the shell does, whatever ends it.
_REMOTE = """
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
tar -xf -
./program batch < lines
"""
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:%+-]*")
_SSH_FAILED, _NOT_FOUND, _CANNOT_EXECUTE = 255, 127, 126


class Place(Protocol):
    """`name` is for people. `emulated` means that times taken there say nothing."""

    @property
    def name(self) -> str: ...

    @property
    def emulated(self) -> bool: ...

    def run(self, program: Path, lines: Sequence[str]) -> str:
        """What `program batch` answers to these lines.

        Raises:
            BoardError: the place cannot be reached, or the program failed there.
        """
        ...


@dataclass(frozen=True)
class Here:
    """This machine."""

    name: str = "this host"
    emulated: bool = False

    def run(self, program: Path, lines: Sequence[str]) -> str:
        return _answer([str(program), "batch"], _text(lines), self.name)


@dataclass(frozen=True)
class Emulated:
    """A target's processor under QEMU."""

    target: Target
    emulated: bool = True

    @property
    def name(self) -> str:
        return f"QEMU ({self.target.qemu.cpu if self.target.qemu else 'no processor'})"

    def run(self, program: Path, lines: Sequence[str]) -> str:
        return _answer(qemu_command(self.target, [program, "batch"]), _text(lines), self.name)


@dataclass(frozen=True)
class Remote:
    """A machine that `ssh` reaches without asking anything."""

    name: str
    emulated: bool = False

    def run(self, program: Path, lines: Sequence[str]) -> str:
        command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-T", "--", self.name, _REMOTE]
        return _answer(command, _archive(program, _text(lines)), self.name)


def place_of(machine: str) -> Place:
    """`local`, or the name by which `ssh` knows another machine.

    Raises:
        InputError: no name of a machine.
    """
    if machine == LOCAL:
        return Here()
    if not _HOST.fullmatch(machine):
        raise InputError(
            f"`{machine}` is no name of a machine", hint=f"`{LOCAL}`, or a host as `ssh` takes it, such as pi@board"
        )
    return Remote(machine)


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _archive(program: Path, lines: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, mode in (("program", program.read_bytes(), 0o755), ("lines", lines, 0o644)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _answer(command: Sequence[str], stdin: bytes, name: str) -> str:
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise BoardError(f"cannot start `{command[0]}`: {error.strerror}") from error
    said = tail(done.stderr.decode(errors="replace"))
    if done.returncode == _SSH_FAILED and command[0] == "ssh":
        raise BoardError(
            f"cannot reach {name}: {said}", hint=f"`ssh {name} true` has to work without asking for anything"
        )
    if done.returncode in (_NOT_FOUND, _CANNOT_EXECUTE):
        raise BoardError(
            f"{name} cannot run the program: {said}", hint="is it of the architecture of the target (`-t`)?"
        )
    if done.returncode != 0:
        raise BoardError(f"the program ended with {done.returncode} on {name}\n{said}")
    return done.stdout.decode(errors="replace")
