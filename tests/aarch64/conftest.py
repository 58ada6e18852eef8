"""The emulated arm64 system, made on first use; tests are skipped where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.backends.files import onnx_library, tflite_library
from edgebin.errors import ToolchainError
from edgebin.targets import load_target
from edgebin.toolchain.qemu import find_qemu
from edgebin.toolchain.userland import Userland, userland

Libraries = Callable[[str], dict[str, Path]]


@pytest.fixture(scope="session")
def arm64() -> Userland:
    """Skips the test with the reason where there is no emulator, no mirror of Debian or no package index."""
    try:
        find_qemu()
        return userland(fetch=True)
    except ToolchainError as error:
        pytest.skip(f"no arm64 userland: {error}")


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Libraries:
    """By kind of file, for a target."""
    made: dict[str, dict[str, Path]] = {}

    def libraries_of(target_id: str) -> dict[str, Path]:
        if target_id not in made:
            target, folder = load_target(target_id), tmp_path_factory.mktemp(target_id)
            made[target_id] = {"onnx": onnx_library(target, folder), "tflite": tflite_library(target, folder)}
        return made[target_id]

    return libraries_of
