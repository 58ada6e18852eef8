"""Builds `kernels_test.c` for each path; runs it here, under QEMU as each core of our boards, and with sanitizers."""

from __future__ import annotations

import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgebin.kernels.build import compile_objects, include_dir
from edgebin.kernels.select import host_paths, path_for, usable_paths, with_tunings
from edgebin.kernels.variants import variants
from edgebin.targets import load_target
from edgebin.toolchain.compiler import Compiler, zig_compiler

PROGRAM = Path(__file__).with_name("kernels_test.c")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1")
QEMU = shutil.which("qemu-aarch64")
needs_arm = pytest.mark.skipif(
    QEMU is None or shutil.which("aarch64-linux-gnu-gcc") is None,
    reason="needs qemu-aarch64 and aarch64-linux-gnu-gcc (apt install qemu-user gcc-aarch64-linux-gnu)",
)
# The cores of our boards as QEMU and zig name them, with what the kernels' paths ask for.
CORES = {
    "cortex-a53": frozenset({"asimd"}),
    "cortex-a57": frozenset({"asimd"}),
    "cortex-a72": frozenset({"asimd"}),
    "cortex-a76": frozenset({"asimd", "asimddp"}),
}


def build(
    path: str, compiler: Compiler, folder: Path, flags: tuple[str, ...] = (), linker: Compiler | None = None
) -> Path:
    """The test program for one path; it links the kernels of that path and of `scalar`, and no others."""
    objects = compile_objects(sorted({path, "scalar"}), compiler, folder, flags)
    program = folder / f"kernels_test-{path}"
    own = (f"-DEB_TEST_PATH={path}", "-std=gnu11", "-O2", f"-I{include_dir()}", *flags)
    (linker or compiler).compile([PROGRAM, *objects], program, [*own, "-lm"])
    return program


def check(path: str, argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"ended with {done.returncode}\n{done.stdout}{done.stderr}"
    operations = [line for line in done.stdout.splitlines() if line.endswith(": ok")]
    assert len(operations) == len([variant for variant in variants() if variant.path == path]), done.stdout


# Static, so that QEMU needs no system root. By gcc, because zig would first compile a whole C library for each core.
LINKER = Compiler("gcc", ("aarch64-linux-gnu-gcc", "-static"))


def build_for_core(path: str, core: str, folder: Path) -> Path:
    """The test program with kernels compiled by zig for exactly this core, as `edgebin compile` does it."""
    zig = zig_compiler(load_target("rpi4b"))
    argv = (*(sys.executable, "-m", "ziglang", "cc"), "-target", "aarch64-linux-gnu.2.27")
    return build(path, Compiler("zig", (*argv, f"-mcpu={core.replace('-', '_')}"), zig.env), folder, linker=LINKER)


ON_CORES = [
    (name, core)
    for core, features in CORES.items()
    for name in with_tunings(usable_paths("aarch64", features))
    if name != "scalar"
]


@pytest.mark.parametrize("path", with_tunings(host_paths()))
def test_on_this_host(path: str, host_compiler: Compiler, tmp_path: Path) -> None:
    check(path, [str(build(path, host_compiler, tmp_path))])


@needs_arm
@pytest.mark.parametrize(("path", "core"), ON_CORES)
def test_on_an_emulated_core(path: str, core: str, tmp_path: Path) -> None:
    check(path, [str(QEMU), "-cpu", core, str(build_for_core(path, core, tmp_path))])


@needs_arm
@pytest.mark.parametrize(
    ("path", "core"), [("neon", "cortex-a53"), ("neon_tbl", "cortex-a53"), ("neondot", "cortex-a76")]
)
def test_built_by_gcc_for_any_armv8(path: str, core: str, tmp_path: Path) -> None:
    check(path, [str(QEMU), "-cpu", core, str(build(path, LINKER, tmp_path))])


@needs_arm
def test_neondot_dies_where_selection_forbids_it(tmp_path: Path) -> None:
    assert path_for("aarch64", CORES["cortex-a72"]) == "neon"
    program = build_for_core("neondot", "cortex-a72", tmp_path)
    done = subprocess.run([str(QEMU), "-cpu", "cortex-a72", str(program)], capture_output=True)
    assert done.returncode == -signal.SIGILL


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the sanitizers are run on x86-64")
@pytest.mark.parametrize("path", with_tunings(host_paths()))
def test_with_address_and_undefined_behaviour_sanitizers(path: str, tmp_path: Path) -> None:
    check(path, [str(build(path, Compiler("gcc", ("gcc",)), tmp_path, SANITIZERS))])
