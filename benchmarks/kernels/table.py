"""The rows as text, a line each."""

from __future__ import annotations

from typing import Any, TextIO

_ARM = f"{'bMAC/insn':>9} {'peer':>6} {'bMAC/cyc':>8} {'limit':>6} {'%':>3} {'inner loop':>10}"
_X86 = f"{'us':>9} {'GMAC/s':>7} {'x fp32':>7} {'x int8':>7} {'median':>7} {'+-':>4}"


class Table:
    """Writes each row when it is there, and a heading where core or path change."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._heading = ""

    def add(self, row: dict[str, Any]) -> None:
        """One more row, as the benchmark's JSON has it."""
        arm = row["core"].startswith("cortex")
        heading = f"{row['core']}, {row['path']}" if arm else row["core"]
        if heading != self._heading:
            self._heading = heading
            print(f"\n{heading:69}{_ARM if arm else _X86}", file=self._stream)
        name = row["kernel"] if not row["part"] else f"{row['kernel']}: {'+'.join(row['part'])}"
        name = name if arm else f"{row['kernel']}, {row['path']}"
        text = f"  {name:30} {'x'.join(map(str, row['shape'])):20} {row['out']:15} "
        print(text + (_arm(row) if arm else _x86(row)), file=self._stream, flush=True)


def _arm(row: dict[str, Any]) -> str:
    peers = [peer["bmac_per_instruction"] for peer in row["peers"]]
    loop = row.get("inner_loop")
    return " ".join(
        (
            _number(row["bmac_per_instruction"], 9),
            _number(max(peers, default=None), 6),
            _number(row["bmac_per_cycle_model"], 8),
            _number(row.get("limit_bmac_per_cycle"), 6),
            _number(row["share_of_limit"] * 100 if row.get("share_of_limit") else None, 3, 0),
            _number(loop["bmac_per_cycle_model"] if loop else None, 10),
        )
    )


def _x86(row: dict[str, Any]) -> str:
    return " ".join(
        (
            _number(row["ns_min"] / 1e3, 9),
            _number(row["gmac_per_s"], 7, 0),
            _number(row["speedup_vs_ort_fp32"], 7),
            _number(row["speedup_vs_ort_int8"], 7),
            _number(row["speedup_vs_ort_fp32_median"], 7),
            _number(row["spread"] * 100, 3, 0) + "%",
        )
    )


def _number(value: float | None, width: int, digits: int = 1) -> str:
    return f"{'-' if value is None else format(value, f'.{digits}f'):>{width}}"
