"""The agent as a program: one static file that starts on any Linux of its architecture."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from edgebin.errors import ToolchainError
from edgebin.toolchain import agent
from edgebin.toolchain.agent import ARCHES, agent_program
from edgebin.toolchain.elf import elf_needs

_CORES = ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76")


@pytest.mark.parametrize("arch", ARCHES)
def test_needs_no_c_library_and_fits_large_pages(arch: str) -> None:
    needs = elf_needs(agent_program(arch))
    assert (needs.arch, needs.glibc) == (arch, (0, 0))
    assert needs.load_alignment >= 65536


@pytest.mark.parametrize("arch", ARCHES)
def test_is_small_and_names_no_folder_of_this_machine(arch: str) -> None:
    data = agent_program(arch).read_bytes()
    assert len(data) < 300_000
    assert str(Path.home()).encode() not in data


@pytest.mark.parametrize("arch", [platform.machine(), pytest.param("aarch64", marks=pytest.mark.slow)])
def test_gcc_builds_it_without_a_warning_where_zig_is_not(
    arch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("gcc" if arch == platform.machine() else f"{arch}-linux-gnu-gcc") is None:
        pytest.skip(f"no gcc for {arch} on this machine")
    monkeypatch.setattr("edgebin.toolchain.agent.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("edgebin.toolchain.agent._FLAGS", (*agent._FLAGS, "-Werror"))
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path))
    assert elf_needs(agent_program(arch)).arch == arch


def test_no_compiler_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgebin.toolchain.agent.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("edgebin.toolchain.agent.shutil.which", lambda name: None)
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path))
    with pytest.raises(ToolchainError, match="neither zig nor"):
        agent_program("aarch64")


def test_an_architecture_that_has_no_agent_is_refused() -> None:
    with pytest.raises(ToolchainError, match="no agent for armv7"):
        agent_program("armv7")


@pytest.mark.parametrize("core", _CORES)
def test_starts_on_every_core(core: str) -> None:
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("no qemu-aarch64 on this machine")
    program = agent_program("aarch64")
    done = subprocess.run(
        ["qemu-aarch64", "-cpu", core, program, "inspect"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["power_sources"] is not None


def test_starts_here() -> None:
    if platform.machine() not in ARCHES:
        pytest.skip(f"no agent for {platform.machine()}")
    done = subprocess.run([agent_program(platform.machine()), "clock"], input="\n", capture_output=True, text=True)
    assert json.loads(done.stdout).keys() == {"monotonic_ns", "realtime_ns"}
