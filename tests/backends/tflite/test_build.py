"""The library: what it exports, what it needs, and that it is built once."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from edgebin.backends.tflite import build
from edgebin.backends.tflite.build import LIBRARY_NAME, build_library, host_library
from edgebin.errors import InputError
from edgebin.targets import load_target
from edgebin.toolchain.compiler import zig_compiler
from edgebin.toolchain.elf import elf_needs

EXPORTS = {"edgebin_observe", "tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"}

needs_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="edgebin builds it for x86-64 hosts only")


def exported(path: Path) -> set[str]:
    with path.open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".dynsym").iter_symbols()
        return {symbol.name for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF" and symbol.name}


@needs_x86_64
def test_it_exports_the_interface_and_nothing_else() -> None:
    assert exported(host_library()) == EXPORTS


@needs_x86_64
def test_it_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = host_library()
    monkeypatch.setattr(build, "build_library", None)
    assert host_library() == first


@pytest.mark.slow
@pytest.mark.parametrize("board", ["rpi4b", "rpi5"])
def test_boards_can_load_it(board: str, tmp_path: Path) -> None:
    target = load_target(board)
    library = build_library(target, zig_compiler(target), tmp_path / LIBRARY_NAME)
    needs = elf_needs(library)
    assert needs.arch == "aarch64"
    assert needs.glibc <= (2, 27)
    assert needs.load_alignment == 65536
    assert exported(library) == EXPORTS
    with library.open("rb") as stream:
        assert ELFFile(stream).get_section_by_name(".symtab") is None
    assert [path.name for path in tmp_path.iterdir()] == [LIBRARY_NAME]


def test_hosts_of_other_architectures_are_told_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "host_arch", lambda: "aarch64")
    with pytest.raises(InputError, match="aarch64"):
        host_library()
