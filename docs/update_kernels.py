"""Writes the tables of docs/kernels.md and the plot docs/kernels.svg from the benchmark's committed results.

`make bench` makes the results, `make docs` runs this; a test compares.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.kernels.report import read_report  # noqa: E402
from docs.kernel_figures import FIGURES, Row  # noqa: E402
from docs.kernel_plot import plot  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "kernels.json"
PAGE, PLOT = ROOT / "docs" / "kernels.md", ROOT / "docs" / "kernels.svg"
_HOTTEST = 2
_CLASSES = 8


def figures_table(report: dict[str, Any]) -> str:
    """The figures that the kernels are held to."""
    machine = report["machine"]
    lines = [
        f"ARM: executed under {machine['emulator']}; x86: measured on {machine['processor']}, one thread, against "
        f"onnxruntime {machine['onnxruntime']}; {machine['date']}.",
        "",
        "| figure | limit | peer | aim (stretch) | reached |",
        "|---|---|---|---|---|",
    ]
    for figure in FIGURES:
        reached = figure.reached(report["rows"])
        lines.append(f"| {figure.name} | {figure.limit} | {figure.peer} | {figure.aim} | **{reached}** |")
    return "\n".join(lines)


def rates_table(report: dict[str, Any]) -> str:
    """The issue rates that all modelled cycles rest on."""
    cores = report["cores"]
    names = list(dict.fromkeys(name for core in cores.values() for name in core["instructions_per_cycle"]))
    lines = [f"| instructions per cycle | {' | '.join(cores)} |", "|---" * (len(cores) + 1) + "|"]
    for name in names:
        rates = (core["instructions_per_cycle"].get(name) for core in cores.values())
        lines.append(f"| {name} | {' | '.join('–' if rate is None else f'{rate:g}' for rate in rates)} |")
    lines.append(f"| slots per cycle | {' | '.join(str(core['issue_width']) for core in cores.values())} |")
    slots = " | ".join(str(core["slots_per_128_bit_result"]) for core in cores.values())
    lines += [f"| slots of a 128-bit result | {slots} |", ""]
    lines += [f"- {name}: {core['evidence']['kind']}: {core['evidence']['source']}" for name, core in cores.items()]
    return "\n".join(lines)


def classes_tables(report: dict[str, Any]) -> str:
    """For each core and path: what the two kernels execute in which the networks spend most cycles."""
    parts = []
    for core, path in dict.fromkeys((row["core"], row["path"]) for row in report["rows"] if "cycles_model" in row):
        rows = [row for row in report["rows"] if (row["core"], row["path"]) == (core, path) and not row["part"]]
        for row in _hottest(rows):
            shape = "×".join(map(str, row["shape"]))
            total = row["instructions"]
            classes = list(row["instruction_classes"].items())
            rest = sum(count for _, count in classes[_CLASSES:])
            shown = [*classes[:_CLASSES], *([("others", rest)] if rest else [])]
            parts += [
                f"**{path} on {core}: `{row['kernel']}` {shape}, {row['out']}** – {total:,} instructions, "
                f"{row['bmac_per_instruction']:.1f} bMAC each; {row['bmac_per_cycle_model']:.1f} bMAC/cycle "
                f"({_share(row)} of the limit), bound by {_bounds(row)}.",
                "",
                *_one_row({name: f"{count / total:.1%}" for name, count in shown}),
            ]
    return "\n".join(parts).rstrip()


def _one_row(cells: dict[str, str]) -> list[str]:
    return [f"| {' | '.join(cells)} |", "|---" * len(cells) + "|", f"| {' | '.join(cells.values())} |", ""]


def x86_loops_tables(report: dict[str, Any]) -> str:
    """For each x86 path: the inner loops of the two operations that the networks spend most time in."""
    parts = []
    for path, loops in report["x86_inner_loops"].items():
        spent: Counter[str] = Counter()
        for row in report["rows"]:
            if (row["core"], row["path"]) == ("x86-64", path) and row["kernel"] in loops:
                spent[row["kernel"]] += row["ns_min"] * _calls(row)
        for op, _ in spent.most_common(_HOTTEST):
            classes = sorted(loops[op]["classes"].items(), key=lambda item: -item[1])
            parts += [
                f"**{path}: inner loop of `{op}`** – {loops[op]['instructions']} instructions",
                "",
                *_one_row({name: str(count) for name, count in classes}),
            ]
    return "\n".join(parts).rstrip()


def x86_table(report: dict[str, Any]) -> str:
    """The quoted shapes on x86."""
    lines = [
        "| kernel | path | shape | out | µs | GMAC/s | × fp32 | × int8 | spread |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        if row["core"] == "x86-64" and "issue" in row["models"]:
            fp32, int8 = _number(row["speedup_vs_ort_fp32"]), _number(row["speedup_vs_ort_int8"])
            lines.append(
                f"| `{row['kernel']}` | {row['path']} | {'×'.join(map(str, row['shape']))} | {row['out']} "
                f"| {row['ns_min'] / 1e3:.1f} | {_number(row['gmac_per_s'], 0)} | {fp32} | {int8} "
                f"| {row['spread']:.0%} |"
            )
    return "\n".join(lines)


def arm_table(report: dict[str, Any]) -> str:
    """The quoted shapes on ARM, beside what others were counted to execute."""
    lines = [
        "| kernel | core, path | shape | out | bMAC/instruction | peer | bMAC/cycle | of limit | inner loop |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        if row["core"] == "x86-64" or "issue" not in row["models"]:
            continue
        if row["bmac_per_instruction"] is None:
            continue
        kernel = f"`{row['kernel']}`" + (f" ({' + '.join(row['part'])})" if row["part"] else "")
        peers = ", ".join(f"{peer['name']} {peer['bmac_per_instruction']}" for peer in row["peers"])
        loop = row["inner_loop"]["bmac_per_cycle_model"] if row["inner_loop"] else None
        lines.append(
            f"| {kernel} | {row['core'].removeprefix('cortex-').upper()}, {row['path']} "
            f"| {'×'.join(map(str, row['shape']))} | {row['out']} | {row['bmac_per_instruction']:.1f} | {peers} "
            f"| {row['bmac_per_cycle_model']:.1f} | {_share(row)} | {_number(loop)} |"
        )
    return "\n".join(lines)


TABLES = {
    "figures": figures_table,
    "arm": arm_table,
    "x86": x86_table,
    "classes": classes_tables,
    "x86-loops": x86_loops_tables,
    "rates": rates_table,
}


def update(text: str, report: dict[str, Any]) -> str:
    """`text` with the part between each pair of markers replaced."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name}: written by docs/update_kernels.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        assert after, f"docs/kernels.md has lost its markers of `{name}`"
        text = f"{before}{start}\n\n{table(report)}\n\n{end}{after}"
    return text


def _hottest(rows: Iterable[Row]) -> list[Row]:
    """The costliest row of each of the kernels in which all networks together spend most modelled cycles."""
    spent: Counter[str] = Counter()
    costliest: dict[str, tuple[int, Row]] = {}
    for row in rows:
        if row["bmac_per_instruction"]:
            cycles = row["cycles_model"] * _calls(row)
            spent[row["kernel"]] += cycles
            if cycles > costliest.get(row["kernel"], (-1, row))[0]:
                costliest[row["kernel"]] = (cycles, row)
    return [costliest[kernel][1] for kernel, _ in spent.most_common(_HOTTEST)]


def _calls(row: Row) -> int:
    """How often all networks together make this call."""
    return sum(count for name, count in row["models"].items() if name != "issue")


def _bounds(row: Row) -> str:
    total = sum(row["cycles_by_limit"].values())
    bounds = sorted(row["cycles_by_limit"].items(), key=lambda item: -item[1])[:2]
    return ", ".join(f"{name} {cycles / total:.0%}" for name, cycles in bounds)


def _share(row: Row) -> str:
    """Of the core's limit; a dash for kernels without a known one."""
    return "–" if row["share_of_limit"] is None else f"{row['share_of_limit']:.0%}"


def _number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    results = read_report(RESULTS)
    PAGE.write_text(update(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    PLOT.write_text(plot(results), encoding="utf-8")
