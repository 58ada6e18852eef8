"""The interface of a machine that runs bundles."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from edgebin.bundle import Bundle, Manifest


class Machine(Protocol):
    """Something that can start the runner of a bundle.

    `name` is for people. `emulated` means that times taken there say nothing about the board.
    """

    @property
    def name(self) -> str: ...

    @property
    def emulated(self) -> bool: ...

    def check(self, manifest: Manifest) -> None:
        """Raises TargetMismatch, or ToolchainError, when this machine cannot run the bundle."""
        ...

    def run(self, bundle: Bundle, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Runs the runner to its end, whatever that is.

        A Path is a file of this host, wherever the runner runs: one that is there is read, another one is written.
        """
        ...
