"""What a compiled file asks of the machine it will run on, read from the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from edgebin.errors import InputError, ToolchainError
from edgebin.targets import Target

_ARCHES = {"EM_AARCH64": "aarch64", "EM_X86_64": "x86_64"}
BOARD_PAGE_SIZE = 65536


@dataclass(frozen=True)
class ElfNeeds:
    """`glibc` is the newest symbol version asked for, (0, 0) if none; `load_alignment` the smallest of all segments."""

    arch: str
    glibc: tuple[int, int]
    load_alignment: int


def elf_needs(path: Path) -> ElfNeeds:
    """Reads a program or shared library.

    Raises:
        InputError: not an ELF file.
    """
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            versions = [(0, 0)]
            for section in elf.iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    for _, auxiliaries in section.iter_versions():
                        for auxiliary in auxiliaries:
                            if found := re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", auxiliary.name):
                                versions.append((int(found[1]), int(found[2])))
            return ElfNeeds(
                arch=_ARCHES.get(elf["e_machine"], str(elf["e_machine"])),
                glibc=max(versions),
                load_alignment=min(
                    segment["p_align"] for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"
                ),
            )
    except (ELFError, OSError, ValueError) as error:
        raise InputError(f"`{path}` is not a readable program or library: {error}") from error


def check_elf(path: Path, target: Target) -> ElfNeeds:
    """Makes sure that a compiled file will start on the target.

    Raises:
        ToolchainError: wrong architecture, a C library newer than the target's, or segments that 64 KiB pages break.
    """
    needs = elf_needs(path)
    if needs.arch != target.arch:
        raise ToolchainError(f"`{path.name}` is for {needs.arch}, {target.id} is {target.arch}")
    if needs.glibc > (glibc := parse_glibc(target.glibc)):
        raise ToolchainError(
            f"`{path.name}` needs glibc {needs.glibc[0]}.{needs.glibc[1]}, {target.id} has {glibc[0]}.{glibc[1]}",
            hint="compile with zig, which links for an old C library: pip install 'edgebin[tvm]'",
        )
    if target.arch == "aarch64" and needs.load_alignment < BOARD_PAGE_SIZE:
        raise ToolchainError(f"`{path.name}` is aligned to {needs.load_alignment} bytes, pages may be 65536")
    return needs


def newest_glibc(paths: Iterable[Path]) -> str:
    """The oldest glibc on which all these files start, such as `2.27`; what a bundle's manifest states.

    Raises:
        InputError: one is not an ELF file.
    """
    major, minor = max(elf_needs(path).glibc for path in paths)
    return f"{major}.{minor}"


def parse_glibc(version: str) -> tuple[int, int]:
    """`"2.27"` as a pair that compares."""
    major, minor = version.split(".")
    return int(major), int(minor)
