"""Writes the tables of docs/backends.md from the committed counts of `python -m benchmarks.backends`.

`make docs` runs this; a test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "backends.json"
PAGE = ROOT / "docs" / "backends.md"
_BINARY = ("b1_gemm", "b1_conv", "b1_attention", "b1_relative_attention", "b1_biased_attention")
_NAMES = {
    "tvm": "TVM module",
    "onnxruntime": "onnxruntime",
    "tflite_runtime": "tflite_runtime",
    "ai_edge_litert": "LiteRT",
}


def ratios_table(report: dict[str, Any]) -> str:
    """Of each model and board: the largest ratio of any layer to the TVM module's same layer."""
    others = [name for name in _NAMES if name != "tvm"]
    lines = [f"| model | board | layers | {' | '.join(_NAMES[name] for name in others)} |", "|---" * 6 + "|"]
    for model, target in _pairs(report["rows"]):
        for label, binary in (("binary", True), ("other", False)):
            rows = [
                row
                for row in report["rows"]
                if (row["model"], row["target"]) == (model, target) and (row["kernel"] in _BINARY) == binary
            ]
            worst = (max(row["ratio"][name] for row in rows if row["ratio"][name] is not None) for name in others)
            lines.append(f"| {model} | {target} | {label} | {' | '.join(f'{ratio:.3f}' for ratio in worst)} |")
    return "\n".join(lines)


def inferences_table(report: dict[str, Any]) -> str:
    """Whole inferences: instructions, of these the runtime's own, and modelled cycles."""
    lines = [
        "| model | board | runtime | instructions | of these between our layers | cycles, modelled |",
        "|---" * 6 + "|",
    ]
    for row in report["inferences"]:
        own = row["between_nodes"] / row["instructions"]
        lines.append(
            f"| {row['model']} | {row['target']} | {_NAMES[row['backend']]} | {row['instructions'] / 1e6:.1f} M "
            f"| {100 * own:.1f} % | ~ {row['model_cycles'] / 1e6:.1f} M |"
        )
    return "\n".join(lines)


def update(text: str, report: dict[str, Any]) -> str:
    """The page with both tables written anew."""
    for name, table in (("ratios", ratios_table(report)), ("inferences", inferences_table(report))):
        start, end = f"<!-- {name}: written by docs/update_backends.py -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}{table}\n{end}{after}"
    return text


def read_report() -> dict[str, Any]:
    """The committed counts."""
    report: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return report


def _pairs(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["model"], row["target"]) for row in rows))


if __name__ == "__main__":
    PAGE.write_text(update(PAGE.read_text(encoding="utf-8"), read_report()), encoding="utf-8")
