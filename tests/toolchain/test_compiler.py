"""Compilers make files that boards can start, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgebin.errors import InputError, ToolchainError
from edgebin.targets import Target, load_target
from edgebin.toolchain import compiler as compilers
from edgebin.toolchain.compiler import Compiler, find_compiler, gcc_compiler, zig_compiler
from edgebin.toolchain.elf import check_elf, elf_needs, newest_glibc, parse_glibc

PROGRAM = "#include <stdio.h>\n#include <math.h>\nint main(int n, char** v) { return printf(v[0], pow(n, 0.5)) < 0; }\n"
BOARDS = ["rpi3b-plus", "rpi4b", "rpi5", "jetson-nano", "jetson-xavier-nx", "jetson-orin-nano"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "program.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize("id_", BOARDS)
def test_program_starts_on_old_systems_and_large_pages(id_: str, source: Path, tmp_path: Path) -> None:
    target = load_target(id_)
    output = tmp_path / "program"
    zig_compiler(target).compile([source], output, ["-O2", "-lm"])
    needs = check_elf(output, target)
    assert needs.arch == "aarch64"
    assert needs.glibc <= (2, 27)
    assert needs.load_alignment >= 65536
    assert parse_glibc(newest_glibc([output])) == needs.glibc


@pytest.mark.parametrize("id_", BOARDS)
def test_only_boards_with_dot_product_accept_it(id_: str, tmp_path: Path) -> None:
    """The core that the compiler is told is the board's, so an intrinsic that the board lacks cannot slip in."""
    target = load_target(id_)
    source = tmp_path / "dot.c"
    source.write_text(
        "#include <arm_neon.h>\nuint32x4_t f(uint32x4_t a, uint8x16_t b) { return vdotq_u32(a, b, b); }\n"
    )
    compile_it = lambda: zig_compiler(target).compile([source], tmp_path / "dot.o", ["-O2", "-c"])  # noqa: E731
    if "asimddp" in target.features:
        compile_it()
        assert elf_header_is_aarch64(tmp_path / "dot.o")
    else:
        with pytest.raises(ToolchainError, match="dotprod"):
            compile_it()
        assert not (tmp_path / "dot.o").exists()


def elf_header_is_aarch64(path: Path) -> bool:
    return path.read_bytes()[18:20] == (183).to_bytes(2, "little")


def test_same_source_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    compiler = zig_compiler(load_target("rpi4b"))
    for name in ("one", "two"):
        compiler.compile([source], tmp_path / name / "program", ["-O2", "-s", "-lm"])
    assert (tmp_path / "one" / "program").read_bytes() == (tmp_path / "two" / "program").read_bytes()


def test_failure_shows_the_compilers_message_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "broken.c"
    source.write_text("int main(void) { return missing_name; }\n")
    with pytest.raises(ToolchainError, match="missing_name"):
        zig_compiler(load_target("rpi4b")).compile([source], tmp_path / "out" / "program")
    assert list((tmp_path / "out").iterdir()) == []


def test_output_of_before_survives_a_failure(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "program"
    output.write_text("old")
    with pytest.raises(ToolchainError):
        zig_compiler(load_target("rpi4b")).compile([source], output, ["-Wl,--no-such-option"])
    assert output.read_text() == "old"


def test_compiler_that_is_gone() -> None:
    with pytest.raises(ToolchainError, match="cannot start"):
        Compiler("gcc", ("no-such-compiler",)).compile([], Path("never"))


@pytest.mark.skipif(shutil.which("aarch64-linux-gnu-gcc") is None, reason="no cross gcc on this machine")
def test_check_finds_a_c_library_newer_than_the_boards(source: Path, tmp_path: Path) -> None:
    """A program linked against a 2023 Debian does not start on JetPack 4; this must be found here, not there."""
    target = load_target("jetson-nano")
    output = tmp_path / "program"
    gcc_compiler(target).compile([source], output, ["-O2", "-lm"])
    if elf_needs(output).glibc <= parse_glibc(target.glibc):
        pytest.skip("this machine's cross gcc links against an old C library")
    with pytest.raises(ToolchainError, match=r"needs glibc 2\.\d+, jetson-nano has 2\.27"):
        check_elf(output, target)


def test_check_finds_the_wrong_architecture(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "program"
    zig_compiler(load_target("rpi4b")).compile([source], output, ["-lm"])
    board = load_target("rpi4b")
    with pytest.raises(ToolchainError, match="is for aarch64, rpi4b is x86_64"):
        check_elf(output, board.model_copy(update={"arch": "x86_64"}))


def test_check_wants_a_program(source: Path) -> None:
    with pytest.raises(InputError, match=r"program\.c"):
        elf_needs(source)


def without(monkeypatch: pytest.MonkeyPatch, *, zig: bool, gcc: bool) -> Target:
    if not zig:
        monkeypatch.setattr(compilers.importlib.util, "find_spec", lambda name: None)
    if not gcc:
        monkeypatch.setattr(compilers.shutil, "which", lambda name: None)
    return load_target("rpi4b")


def test_zig_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_compiler(without(monkeypatch, zig=True, gcc=False)).kind == "zig"


@pytest.mark.parametrize("preference", ["auto", "gcc"])
def test_no_compiler_at_all(monkeypatch: pytest.MonkeyPatch, preference: str) -> None:
    with pytest.raises(ToolchainError) as caught:
        find_compiler(without(monkeypatch, zig=False, gcc=False), preference)  # type: ignore[arg-type]
    assert caught.value.hint is not None
    assert "apt install gcc-aarch64-linux-gnu" in caught.value.hint


def test_zig_asked_for_and_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolchainError, match="ziglang"):
        find_compiler(without(monkeypatch, zig=False, gcc=True), "zig")
