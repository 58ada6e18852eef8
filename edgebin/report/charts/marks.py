"""How a variant looks in every chart: colour, shape and dash together, so that none stands alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from edgebin.profile.record import RunRecord
from edgebin.report.charts.drawing import Drawing

_OURS, _FP32, _INT8 = 0, 1, 2
_COLOURS = 8

Kind = Literal["measured", "estimate"]


@dataclass(frozen=True)
class Mark:
    """`number` is the colour's in templates/page.css; shapes and dashes go with it."""

    number: int

    @property
    def colour(self) -> str:
        """The class that sets the colour."""
        return f"c{self.number}"

    def draw(
        self, drawing: Drawing, x: float, y: float, kind: Literal["measured", "estimate"], size: float = 4.5
    ) -> None:
        """The variant's shape: filled where measured, hollow where estimated."""
        class_ = f"{self.colour} {'solid' if kind == 'measured' else 'hollow'}"
        drawing.path(_SHAPES[self.number % len(_SHAPES)](x, y, size), class_)


def marks(record: RunRecord) -> dict[str, Mark]:
    """One for each name of a variant: ours first, fp32 and int8 always the same."""
    names = list(dict.fromkeys(variant.name for variant in record.variants))
    ours = [bundle.variant for bundle in record.bundles]
    fixed = {"fp32": _FP32, "int8": _INT8}
    if ours:
        fixed[ours[0]] = _OURS
    return marks_of(names, fixed)


def marks_of(names: Iterable[str], fixed: dict[str, int]) -> dict[str, Mark]:
    """One for each name; those of `fixed` have their numbers, the others what is left, in turn."""
    left = [number for number in range(_COLOURS) if number not in (_OURS, _FP32, _INT8)]
    found: dict[str, Mark] = {}
    others = 0
    for name in names:
        if name in fixed:
            found[name] = Mark(fixed[name])
        else:
            found[name] = Mark(left[others % len(left)])
            others += 1
    return found


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f},{y:.1f}a{r:.1f},{r:.1f} 0 1 0 {2 * r:.1f},0a{r:.1f},{r:.1f} 0 1 0 {-2 * r:.1f},0Z"


def _square(x: float, y: float, r: float) -> str:
    s = 0.9 * r
    return f"M{x - s:.1f},{y - s:.1f}h{2 * s:.1f}v{2 * s:.1f}h{-2 * s:.1f}Z"


def _triangle(x: float, y: float, r: float) -> str:
    return f"M{x:.1f},{y - 1.15 * r:.1f}l{1.1 * r:.1f},{2 * r:.1f}h{-2.2 * r:.1f}Z"


def _diamond(x: float, y: float, r: float) -> str:
    s = 1.2 * r
    return f"M{x:.1f},{y - s:.1f}l{s:.1f},{s:.1f}l{-s:.1f},{s:.1f}l{-s:.1f},{-s:.1f}Z"


def _down(x: float, y: float, r: float) -> str:
    return f"M{x:.1f},{y + 1.15 * r:.1f}l{1.1 * r:.1f},{-2 * r:.1f}h{-2.2 * r:.1f}Z"


_SHAPES = (_circle, _square, _triangle, _diamond, _down)
