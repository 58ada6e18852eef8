"""How the rows of a call are shared out between cores."""

from __future__ import annotations

# A block is a multiple of the tallest register tile (rows), so that splitting work between threads costs no half tiles.
# kernels/dispatch splits by the same grain.
ROW_GRAIN = 12


def row_blocks(rows: int, cores: int) -> tuple[int, int]:
    """(number of blocks, rows per block) for a static split of rows between cores."""
    per_block = -(-rows // cores)
    per_block = -(-per_block // ROW_GRAIN) * ROW_GRAIN
    return -(-rows // per_block), per_block
