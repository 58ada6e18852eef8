"""Where a bundle spends its time: its functions by kind, binary arithmetic apart from full precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgebin.profile.record import Layer
from edgebin.report.cells import layer_latency_cell
from edgebin.report.charts.drawing import Drawing
from edgebin.report.charts.rows import Rows
from edgebin.report.charts.scale import scale

BINARY, ONE_BIT, FULL, OTHER = "binary", "1-bit weights", "full precision", "other"
# ONNX nodes that compute nothing.
_MOVEMENT = {
    *("Cast", "Concat", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Shape", "Slice", "Split"),
    *("Squeeze", "Transpose", "Unsqueeze"),
}
# Colour, and a pattern of its own for those who do not see it.
_CLASSES = {BINARY: "p-binary", ONE_BIT: "p-onebit", FULL: "p-full", OTHER: "p-other"}
_PATTERNS = {ONE_BIT: "p-stripes", FULL: "p-dots", OTHER: "p-hatch"}
_MOST = 9


@dataclass(frozen=True)
class Kind:
    """Functions of one kind together. `arithmetic` is one of the four above."""

    name: str
    arithmetic: str
    functions: int
    latency_ms: float
    share: float


def arithmetic(op: str) -> str:
    """What a kind of operation computes in: kernels are named `b1_…`, `w1…`, `f32_…`, `rows`, others as ONNX nodes."""
    if op.startswith(("b1_", "Lce")):
        return BINARY
    if op.startswith("w1"):
        return ONE_BIT
    return OTHER if not op or op in _MOVEMENT else FULL


def kinds(layers: Sequence[Layer]) -> tuple[Kind, ...]:
    """The longest first; what is left beyond the most that a chart holds is one kind."""
    grouped: dict[str, list[Layer]] = {}
    for layer in layers:
        grouped.setdefault(layer.op, []).append(layer)
    nameless = "no kernel of ours" if any(layer.variant for layer in layers) else "fused nodes, runtime"
    found = [_kind(op or nameless, arithmetic(op), group) for op, group in grouped.items()]
    found.sort(key=lambda kind: -kind.latency_ms)
    if len(found) <= _MOST:
        return tuple(found)
    rest = found[_MOST - 1 :]
    others = Kind(
        f"{len(rest)} other kinds",
        OTHER,
        sum(kind.functions for kind in rest),
        sum(kind.latency_ms for kind in rest),
        sum(kind.share for kind in rest),
    )
    return (*found[: _MOST - 1], others)


def _kind(name: str, class_: str, group: Sequence[Layer]) -> Kind:
    return Kind(name, class_, len(group), sum(layer.latency_ms for layer in group), sum(layer.share for layer in group))


def shares(layers: Sequence[Layer]) -> dict[str, float]:
    """Share of an inference by arithmetic, those with none left out."""
    found = dict.fromkeys(_CLASSES, 0.0)
    for layer in layers:
        found[arithmetic(layer.op)] += layer.share
    return {name: share for name, share in found.items() if share > 0}


def layers_chart(bundle: str, layers: Sequence[Layer], width: float) -> Drawing:
    """A bar for each kind of function."""
    found = kinds(layers)
    rows = Rows(width, len(found), labels=210.0, figures=225.0)
    how = layers[0].kind
    figures = [f"{layer_latency_cell(kind.latency_ms, how)} · {100 * kind.share:.1f} %" for kind in found]
    drawing = Drawing(
        width,
        rows.height,
        f"{'Estimated time' if how == 'estimate' else 'Time'} of {bundle} by kind of function",
        "\n".join(
            f"{kind.name} ({kind.arithmetic}), {kind.functions} functions: {figure}."
            for kind, figure in zip(found, figures, strict=True)
        ),
    )
    axis = scale([kind.latency_ms for kind in found], rows.begin, rows.end)
    rows.axis(drawing, axis, "ms")
    for number, (kind, figure) in enumerate(zip(found, figures, strict=True)):
        y = rows.middle(number)
        rows.label(drawing, number, f"{kind.name} ×{kind.functions}", figure)
        end = max(axis(0) + 1, axis.clamped(kind.latency_ms))
        _bar(drawing, (axis(0), y - 8, end - axis(0), 16), kind.arithmetic, how)
    return drawing


def shares_chart(bundle: str, layers: Sequence[Layer], width: float) -> Drawing:
    """One bar for the whole inference, parted by arithmetic, with its own legend."""
    found = shares(layers)
    narrow = width < 500
    lines = len(found) if narrow else 1
    total = sum(found.values()) or 1.0
    how = layers[0].kind
    drawing = Drawing(
        width,
        34.0 + 22.0 * lines,
        f"Share of the inference by arithmetic, {bundle}",
        "\n".join(f"{name}: {100 * share:.1f} %." for name, share in found.items()),
    )
    x = 0.0
    for number, (name, share) in enumerate(found.items()):
        part = share / total * width
        _bar(drawing, (x, 2, max(0.5, part - 2), 22), name, how)
        legend_x, legend_y = (0.0, 46.0 + 22.0 * number) if narrow else (number * width / len(found), 46.0)
        _bar(drawing, (legend_x, legend_y - 10, 12, 12), name, how)
        drawing.text(legend_x + 18, legend_y, f"{name} {100 * share:.1f} %", "name")
        x += part
    return drawing


def totals_chart(groups: Mapping[str, Sequence[Layer]], width: float) -> Drawing:
    """Variants on one axis: a bar each, of what its functions take together, parted by arithmetic."""
    rows = Rows(width, len(groups))
    totals = {name: sum(layer.latency_ms for layer in layers) for name, layers in groups.items()}
    figures = [layer_latency_cell(totals[name], layers[0].kind) for name, layers in groups.items()]
    drawing = Drawing(
        width,
        rows.height,
        "All functions together, by arithmetic",
        "\n".join(f"{name}: {figure}." for name, figure in zip(groups, figures, strict=True)),
    )
    axis = scale(totals.values(), rows.begin, rows.end)
    rows.axis(drawing, axis, "ms")
    for number, ((name, layers), figure) in enumerate(zip(groups.items(), figures, strict=True)):
        rows.label(drawing, number, name, figure)
        at, y, parts = 0.0, rows.middle(number), shares(layers)
        for part, share in parts.items():
            ms = totals[name] * share / sum(parts.values())
            box = (axis.clamped(at), y - 8, max(0.5, axis.clamped(at + ms) - axis.clamped(at)), 16)
            _bar(drawing, box, part, layers[0].kind)
            at += ms
    return drawing


def _bar(drawing: Drawing, box: tuple[float, float, float, float], name: str, how: str) -> None:
    """Filled where measured; where estimated hollow, its outline broken."""
    drawing.rectangle(*box, f"{_CLASSES[name]}{' outlined' if how == 'estimate' else ' solid'}")
    if name in _PATTERNS:
        drawing.rectangle(*box, f"{_PATTERNS[name]}{' on-paper' if how == 'estimate' else ''}")
