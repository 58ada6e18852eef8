"""The emulator runs with the board's processor and shows programs the board's files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgebin.errors import ToolchainError
from edgebin.targets import load_target
from edgebin.toolchain import qemu
from edgebin.toolchain.compiler import zig_compiler
from edgebin.toolchain.qemu import qemu_command, sysroot

needs_qemu = pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no qemu-aarch64 on this machine")

SHOW_FILE = """
#include <stdio.h>
int main(int n, char** v) {
  FILE* f = fopen(v[1], "r");
  if (!f) return 1;
  for (int c; (c = fgetc(f)) != EOF;) putchar(c);
  return 0;
}
"""
USE_DOT_PRODUCT = """
int main(void) { __asm__ volatile(".arch_extension dotprod\\nudot v0.4s, v1.16b, v2.16b" ::: "v0"); return 0; }
"""


def build(target_id: str, text: str, folder: Path) -> Path:
    (folder / "program.c").write_text(text)
    zig_compiler(load_target(target_id)).compile([folder / "program.c"], folder / "program", ["-O1"])
    return folder / "program"


@needs_qemu
def test_programs_see_the_boards_processor(tmp_path: Path) -> None:
    """onnxruntime reads these files, and crashes on an x86 host's."""
    target = load_target("rpi5")
    program = build("rpi5", SHOW_FILE, tmp_path)

    def show(path: str) -> str:
        return subprocess.run(
            qemu_command(target, [program, path]), capture_output=True, text=True, check=True
        ).stdout.strip()

    assert show("/proc/cpuinfo").count("CPU part\t: 0xd0b") == 4
    assert "asimddp" in show("/proc/cpuinfo")
    assert show("/sys/devices/system/cpu/possible") == "0-3"
    assert show("/sys/devices/system/cpu/cpu3/cache/index0/size") == "64K"


@needs_qemu
@pytest.mark.parametrize(("id_", "dies"), [("rpi4b", True), ("jetson-nano", True), ("rpi5", False)])
def test_instruction_that_the_board_lacks_is_fatal(id_: str, dies: bool, tmp_path: Path) -> None:
    program = build(id_, USE_DOT_PRODUCT, tmp_path)
    done = subprocess.run(qemu_command(load_target(id_), [program]), capture_output=True, check=False)
    assert (done.returncode != 0) == dies


@needs_qemu
def test_plugin_and_environment_are_passed_on() -> None:
    command = qemu_command(load_target("rpi4b"), ["/bin/program", "-x"], plugin="p.so,out=o", environment={"A": "b c"})
    assert command[3:] == ["-cpu", "cortex-a72", "-plugin", "p.so,out=o", "-E", "A=b c", "/bin/program", "-x"]


@needs_qemu
def test_sysroot_is_made_once() -> None:
    first = sysroot(load_target("rpi4b"))
    made = (first / "proc" / "cpuinfo").stat().st_mtime_ns
    assert sysroot(load_target("rpi4b")) == first
    assert (first / "proc" / "cpuinfo").stat().st_mtime_ns == made


def test_no_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu.shutil, "which", lambda name: None)
    with pytest.raises(ToolchainError) as caught:
        qemu_command(load_target("rpi4b"), ["program"])
    assert caught.value.hint is not None
    assert "apt install qemu-user" in caught.value.hint


@needs_qemu
def test_no_c_library_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QEMU_LD_PREFIX", str(tmp_path))
    with pytest.raises(ToolchainError) as caught:
        qemu_command(load_target("rpi4b"), ["program"])
    assert caught.value.hint == "apt install libc6-arm64-cross"


def test_target_without_an_emulated_processor() -> None:
    board = load_target("rpi4b").model_copy(update={"qemu": None})
    with pytest.raises(ToolchainError, match="rpi4b"):
        qemu_command(board, ["program"])
