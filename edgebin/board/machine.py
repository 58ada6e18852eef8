"""The interface of a machine that runs bundles."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from edgebin.bundle import Manifest


class Machine(Protocol):
    """Something that can start the runner of an extracted bundle.

    `name` is for people. `emulated` means that times taken there say nothing about the board.
    """

    @property
    def name(self) -> str: ...

    @property
    def emulated(self) -> bool: ...

    def check(self, manifest: Manifest) -> None:
        """Raises TargetMismatch, or ToolchainError, when this machine cannot run the bundle."""
        ...

    def command(self, folder: Path, arguments: Sequence[str]) -> list[str]:
        """The command line that starts the runner in `folder`; for whoever wants to talk to it (`--serve`)."""
        ...

    def run(self, folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs the runner to its end, whatever that is."""
        ...
