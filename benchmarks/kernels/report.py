"""The benchmark's JSON: one row of figures on each line, so that a change of one is a change of one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# What every row has; null where a figure does not apply. `out` is f32, f32+residual, bits, int, or the name of a
# further epilogue (kernels/probe/epilogues.inc); `shape` is [m, k, n] of products.
FIELDS = {
    "kernel": str,
    "path": str,
    "shape": list,
    "dims": dict,
    "part": (list, type(None)),
    "out": str,
    "core": str,
    "models": dict,
    "peers": list,
    "bmac_per_instruction": (float, type(None)),
    "bmac_per_cycle_model": (float, type(None)),
    "speedup_vs_ort_fp32": (float, type(None)),
    "speedup_vs_ort_int8": (float, type(None)),
}
_DIGITS = 5


def write_report(report: dict[str, Any], path: Path) -> None:
    """Writes `report`, its list `rows` a line each, floats to five digits."""
    others = json.dumps({name: value for name, value in report.items() if name != "rows"}, indent=1)
    rows = ",\n".join(json.dumps(_rounded(row)) for row in report["rows"])
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(f'{{"rows": [\n{rows}\n],\n{others[2:]}\n')
    partial.replace(path)


def read_report(path: Path) -> dict[str, Any]:
    """Reads what `write_report` wrote."""
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
