"""An ARM board's processor, emulated."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebin.board.local import run_process
from edgebin.bundle import Bundle, Manifest
from edgebin.bundle.manifest import RUNNER_NAME
from edgebin.errors import TargetMismatch
from edgebin.targets import Target
from edgebin.toolchain.qemu import qemu_command


@dataclass(frozen=True)
class QemuMachine:
    """Runs bundles under `qemu-aarch64` with the target's `-cpu`, so that an instruction the board lacks is fatal.

    `plugin` is the value of QEMU's `-plugin`, None for none.
    """

    target: Target
    plugin: str | None = None

    @property
    def name(self) -> str:
        return f"QEMU ({self.target.qemu.cpu if self.target.qemu else 'no processor'})"

    @property
    def emulated(self) -> bool:
        return True

    def check(self, manifest: Manifest) -> None:
        """Makes sure that the emulator is there and is for this bundle.

        Raises:
            TargetMismatch: a bundle for another architecture, or for another processor than is emulated.
            ToolchainError: no emulator.
        """
        if manifest.target.arch != "aarch64":
            raise TargetMismatch(
                f"the bundle is for {manifest.target.id} ({manifest.target.arch}); QEMU is for aarch64 only",
                hint="run it on a machine of that kind, or compile it again",
            )
        if missing := sorted(set(manifest.features) - set(self.target.features)):
            raise TargetMismatch(
                f"the bundle is for {manifest.target.id} and needs {', '.join(missing)}, which {self.target.id} lacks",
                hint=f"compile it again: `edgebin compile … -t {self.target.id}`",
            )
        self.command(Path(), [])

    def command(self, folder: Path, arguments: Sequence[str | Path]) -> list[str]:
        """The command line that starts the runner in `folder`; for whoever wants to talk to it (`--serve`)."""
        return qemu_command(self.target, [folder / RUNNER_NAME, *arguments], plugin=self.plugin)

    def run(self, bundle: Bundle, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        return run_process(self.command(bundle.extracted(), arguments))
