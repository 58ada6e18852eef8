"""The emulated arm64 system, made on first use; tests are skipped where it cannot be."""

from __future__ import annotations

import pytest

from edgebin.errors import ToolchainError
from edgebin.toolchain.qemu import find_qemu
from edgebin.toolchain.userland import Userland, userland


@pytest.fixture(scope="session")
def arm64() -> Userland:
    """Skips the test with the reason where there is no emulator, no mirror of Debian or no package index."""
    try:
        find_qemu()
        return userland(fetch=True)
    except ToolchainError as error:
        pytest.skip(f"no arm64 userland: {error}")
