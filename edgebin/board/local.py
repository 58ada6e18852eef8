"""This host."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebin.bundle import Bundle, Manifest
from edgebin.bundle.manifest import RUNNER_NAME
from edgebin.errors import BoardError, TargetMismatch
from edgebin.targets.host import host_arch, host_features, host_glibc
from edgebin.toolchain.elf import parse_glibc


@dataclass(frozen=True)
class LocalMachine:
    """Runs bundles for this very processor."""

    @property
    def name(self) -> str:
        return "this host"

    @property
    def emulated(self) -> bool:
        return False

    def check(self, manifest: Manifest) -> None:
        """Makes sure that every instruction and library function the bundle uses is there.

        Raises:
            TargetMismatch: other architecture, missing processor features, older C library.
        """
        target = manifest.target
        if host_arch() != target.arch:
            raise TargetMismatch(
                f"the bundle is for {target.id} ({target.arch}), this host is {host_arch()}",
                hint="compile it again for this host: `edgebin compile … -t x86-64`",
            )
        if missing := sorted(set(manifest.features) - host_features()):
            raise TargetMismatch(
                f"the bundle is for {target.id} and needs {', '.join(missing)}, which this host lacks",
                hint=f"compile it again on or for this machine: `edgebin compile … -t {_advice(target.arch)}`",
            )
        glibc = host_glibc()
        if glibc is None or glibc < parse_glibc(manifest.glibc):
            found = "another C library" if glibc is None else f"glibc {glibc[0]}.{glibc[1]}"
            raise TargetMismatch(
                f"the bundle needs glibc {manifest.glibc}, this host has {found}",
                hint="compile with zig, which links for an old C library",
            )

    def command(self, folder: Path, arguments: Sequence[str | Path]) -> list[str]:
        """The command line that starts the runner in `folder`; for whoever wants to talk to it (`--serve`)."""
        return [str(folder / RUNNER_NAME), *map(str, arguments)]

    def run(self, bundle: Bundle, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        return run_process(self.command(bundle.extracted(), arguments))


def run_process(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end and keeps what it says.

    Raises:
        BoardError: it cannot be started.
    """
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise BoardError(f"cannot start `{command[0]}`: {error.strerror}") from error


def _advice(arch: str) -> str:
    return "x86-64" if arch == "x86_64" else "rpi4b"
