"""Instructions are attributed to functions by address; a wrong edge gives a neighbour's work to the wrong one."""

from __future__ import annotations

from benchmarks.kernels.symbols import UNKNOWN, FunctionTable

TABLE = FunctionTable.from_symbols(
    [
        (0x1000, 0x40, "pack_keys"),
        (0x1040, 0x20, "agree_rows.constprop.0"),
        (0x2000, 0, "assembly"),
        (0x3000, 8, "last"),
    ]
)


def test_edges() -> None:
    assert TABLE.name_at(0x0FFC) == UNKNOWN
    assert TABLE.name_at(0x1000) == TABLE.name_at(0x103C) == "pack_keys"
    assert TABLE.name_at(0x1040) == "agree_rows"


def test_a_gap_between_functions_belongs_to_none() -> None:
    assert TABLE.name_at(0x1060) == UNKNOWN
    assert TABLE.name_at(0x3008) == UNKNOWN


def test_a_symbol_without_a_size_reaches_to_the_next() -> None:
    assert TABLE.name_at(0x2FFC) == "assembly"
