"""This host, with a board's processor under QEMU for programs that are for one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from edgebin.board.transports.local import LocalTransport
from edgebin.targets import Target
from edgebin.toolchain.qemu import qemu_command

_MACHINE = slice(18, 20)  # e_machine of an ELF header
_AARCH64 = b"\xb7\x00"  # EM_AARCH64, little endian


class QemuTransport(LocalTransport):
    """Runs aarch64 programs with the target's `-cpu`, all others (`sh`, `sha256sum`) as this host does.

    Raises:
        ToolchainError: the emulator is missing, when the first such program is run.
    """

    emulated = True

    def __init__(self, target: Target) -> None:
        self.target = target
        self.name = f"QEMU ({target.qemu.cpu if target.qemu else 'no processor'})"

    def _words(self, command: Sequence[str]) -> list[str]:
        program = shutil.which(command[0])
        if program is not None and _is_aarch64(Path(program)):
            return qemu_command(self.target, command)
        return list(command)


def _is_aarch64(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            header = stream.read(20)
    except OSError:
        return False
    return header[:4] == b"\x7fELF" and header[_MACHINE] == _AARCH64
