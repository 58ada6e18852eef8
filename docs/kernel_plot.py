"""The plot of modelled bMAC/cycle against each core's limit, as SVG that follows the reader's light or dark scheme."""

from __future__ import annotations

from html import escape
from typing import Any

_CORES = ("cortex-a53", "cortex-a72", "cortex-a76")
_PATHS = ("neon", "neon_inorder", "neondot", "neon_tbl")
# (label, kernel, shape, out)
_CATEGORIES: tuple[tuple[str, str, tuple[int, ...], str], ...] = (
    ("196×384×384 → int", "b1_gemm", (196, 384, 384), "int"),
    ("196×384×384 → bits", "b1_gemm", (196, 384, 384), "bits"),
    ("196×384×384 → f32", "b1_gemm", (196, 384, 384), "f32"),
    ("… + residual", "b1_gemm", (196, 384, 384), "f32+residual"),
    ("196×384×1536 → bits", "b1_gemm", (196, 384, 1536), "bits"),
    ("196×1536×384 → f32", "b1_gemm", (196, 1536, 384), "f32"),
    ("3136×64×64 → f32", "b1_gemm", (3136, 64, 64), "f32"),
    ("3136×64×64 → bits", "b1_gemm", (3136, 64, 64), "bits"),
    ("1×384×1000 → f32", "b1_gemm", (1, 384, 1000), "f32"),
    ("attention 6×64×197, 3 maps", "b1_attention", (6, 64, 197, 197, 3), "int"),
)
_LABELS, _PANEL, _GAP, _TOP, _BAR, _ROW_GAP = 190, 215, 26, 84, 9, 10
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #3d3d3a }
  .title { font-weight: 600; fill: #141413 }
  .value, .tick { font-size: 10px; fill: #73726c }
  .value { paint-order: stroke; stroke: #ffffff; stroke-width: 2.5px }
  .grid { stroke: #e3e2dc } .axis { stroke: #a8a69c }
  .limit { stroke: #141413; stroke-dasharray: 4 3; stroke-width: 1.5 }
  .neon { fill: #2a78d6 } .neon_inorder { fill: #1baf7a } .neondot { fill: #eda100 } .neon_tbl { fill: #8b5cf6 }
  @media (prefers-color-scheme: dark) {
    text { fill: #c8c6bd } .title { fill: #faf9f5 } .value, .tick { fill: #9c9a92 }
    .value { stroke: #0d1117 }
    .grid { stroke: #3a3935 } .axis { stroke: #73726c } .limit { stroke: #faf9f5 }
    .neon { fill: #5b9ef0 } .neon_inorder { fill: #35c892 } .neondot { fill: #f2b73a } .neon_tbl { fill: #a78bfa }
  }"""


def plot(report: dict[str, Any]) -> str:
    """One panel per core, one group of bars per kernel and shape, one bar per path; dashed: the limits."""
    found = _values(report)
    paths = {core: [path for path in _PATHS if any(key[:2] == (core, path) for key in found)] for core in _CORES}
    group = max(map(len, paths.values())) * _BAR + _ROW_GAP
    bottom = _TOP + group * len(_CATEGORIES)
    width = _LABELS + len(_CORES) * (_PANEL + _GAP)
    body = [_legend([path for path in _PATHS if any(path in of for of in paths.values())])]
    for index, (label, *_) in enumerate(_CATEGORIES):
        y = _TOP + index * group + (group - _ROW_GAP) / 2 + 4
        body.append(f'<text x="{_LABELS - 10}" y="{y:.1f}" text-anchor="end">{escape(label)}</text>')
    for index, core in enumerate(_CORES):
        left = _LABELS + index * (_PANEL + _GAP)
        limits = _limits(report, core)
        scale = _PANEL / (max([*limits.values(), *(v for key, v in found.items() if key[0] == core)]) * 1.06)
        body.append(_panel(core, left, bottom, scale, limits))
        for number, category in enumerate(_CATEGORIES):
            offset = (group - _ROW_GAP - len(paths[core]) * _BAR) / 2
            for place, path in enumerate(paths[core]):
                value = found.get((core, path, *category[1:]))
                if value is not None:
                    body.append(_bar(path, left, _TOP + number * group + offset + place * _BAR, value, scale))
    text = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 34}" width="{width}" role="img" '
        f'aria-label="Modelled binary multiply-accumulates per cycle against the limit of each core">\n'
        f"<style>{_STYLE}\n</style>\n{text}\n</svg>\n"
    )


def _values(report: dict[str, Any]) -> dict[tuple[Any, ...], float]:
    return {
        (row["core"], row["path"], row["kernel"], _key(row), row["out"]): row["bmac_per_cycle_model"]
        for row in report["rows"]
        if row["bmac_per_cycle_model"] is not None and not row["part"]
    }


def _key(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row["shape"])


def _limits(report: dict[str, Any], core: str) -> dict[str, float]:
    """The limits of what this core's kernels work by: CNT, and look-ups where a path has them."""
    limits: dict[str, float] = {}
    for row in report["rows"]:
        if row["core"] == core and row["kernel"] == "b1_gemm" and row.get("limit_bmac_per_cycle"):
            name = "TBL" if row["path"] == "neon_tbl" else "EOR + CNT + ADD"
            limits[name] = max(limits.get(name, 0.0), row["limit_bmac_per_cycle"])
    return limits


def _panel(core: str, left: float, bottom: float, scale: float, limits: dict[str, float]) -> str:
    parts = [f'<text class="title" x="{left}" y="{_TOP - 30}">{core.replace("cortex-a", "Cortex-A")}</text>']
    step = 10 if max(limits.values()) < 50 else 20 if max(limits.values()) < 100 else 40
    for tick in range(0, int(_PANEL / scale) + 1, step):
        x = left + tick * scale
        kind = "grid" if tick else "axis"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 13}" text-anchor="middle">{tick}</text>')
    parts.append(f'<text class="tick" x="{left}" y="{bottom + 28}">bMAC per cycle, modelled</text>')
    for name, value in limits.items():
        x = left + value * scale
        parts.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom}"/>')
        label = f"{name} {value:.0f}"
        parts.append(f'<text class="tick" x="{x:.1f}" y="{_TOP - 11}" text-anchor="end">{label}</text>')
    return "\n".join(parts)


def _bar(path: str, left: float, top: float, value: float, scale: float) -> str:
    length = value * scale
    return (
        f'<rect class="{path}" x="{left}" y="{top:.1f}" width="{length:.1f}" height="{_BAR - 2}" rx="1.5"/>'
        f'<text class="value" x="{left + length + 3:.1f}" y="{top + _BAR - 2:.1f}">{value:.0f}</text>'
    )


def _legend(paths: list[str]) -> str:
    parts, x = [], _LABELS
    for path in paths:
        parts.append(f'<rect class="{path}" x="{x}" y="14" width="12" height="12" rx="2"/>')
        parts.append(f'<text x="{x + 17}" y="24">{path}</text>')
        x += 40 + 8 * len(path)
    parts.append(f'<line class="limit" x1="{x}" x2="{x + 22}" y1="20" y2="20"/><text x="{x + 28}" y="24">limit</text>')
    return "".join(parts)
