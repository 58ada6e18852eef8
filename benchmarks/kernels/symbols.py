"""Which function of a program an address belongs to, from its symbol table."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

UNKNOWN = "?"


@dataclass(frozen=True)
class FunctionTable:
    """Functions by their first address, ascending. Several may have one name: static functions of different files."""

    addresses: tuple[int, ...]
    sizes: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, program: Path) -> FunctionTable:
        """The functions of a program that lies where it was linked (static, not position independent)."""
        with program.open("rb") as stream:
            tables = [section for section in ELFFile(stream).iter_sections() if isinstance(section, SymbolTableSection)]
            found = sorted(
                (symbol["st_value"], symbol["st_size"], symbol.name)
                for table in tables
                for symbol in table.iter_symbols()
                if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_value"]
            )
        return cls.from_symbols(found)

    @classmethod
    def from_symbols(cls, symbols: list[tuple[int, int, str]]) -> FunctionTable:
        """(address, bytes, name), by address. What compilers append to names (`.constprop.0`) is dropped."""
        return cls(
            tuple(address for address, _, _ in symbols),
            tuple(size for _, size, _ in symbols),
            tuple(name.partition(".")[0] for _, _, name in symbols),
        )

    def name_at(self, address: int) -> str:
        """The function that an instruction is in; "?" for none. Assembly may give no sizes: 0 reaches to the next."""
        index = bisect_right(self.addresses, address) - 1
        if index < 0:
            return UNKNOWN
        size = self.sizes[index]
        return self.names[index] if size == 0 or address < self.addresses[index] + size else UNKNOWN
