"""Counts hand-written AArch64 programs under the emulator."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edgebin.profile.baselines.programs import instruction_counter
from edgebin.profile.estimate.counting import Counts, plugin_argument, read_counts
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler
from tests.board.conftest import tiny_bundle

__all__ = ["tiny_bundle"]

CountProgram = Callable[..., Counts]

_EXIT = """
  mov x8, #94
  mov x0, #0
  svc #0
"""


@pytest.fixture
def count_program(tmp_path: Path) -> CountProgram:
    """Assembles the body of `_start`, runs it under QEMU with the counter and reads the counts."""
    qemu = shutil.which("qemu-aarch64")
    if qemu is None or shutil.which("aarch64-linux-gnu-objdump") is None:
        pytest.skip("needs qemu-aarch64 with plugins and aarch64-linux-gnu-objdump")

    def count(body: str, *, skip: int = 0) -> Counts:
        source, program, output = tmp_path / "guest.S", tmp_path / "guest", tmp_path / "counts.bin"
        source.write_text(f".global _start\n_start:\n{body}\n{_EXIT}")
        find_compiler(load_target("rpi4b")).compile([source], program, ["-nostdlib", "-static"])
        plugin = plugin_argument(instruction_counter(), output, skip=skip)
        subprocess.run([qemu, "-cpu", "cortex-a72", "-plugin", plugin, str(program)], check=True)
        return read_counts(output)

    return count


def mark(value: int) -> str:
    """Assembly that marks (kernels/runtime/marks.h): four instructions."""
    return f"mov x8, #0x4542\nmovz x0, #{value & 0xFFFF}\nmovk x0, #{value >> 16}, lsl #16\nsvc #0\n"
