"""Rows of bars: name, bar, figure in columns; where there is little room name and figure stand above the bar."""

from __future__ import annotations

from dataclasses import dataclass

from edgebin.report.charts.drawing import NORMAL, Drawing, fitting, text_width
from edgebin.report.charts.scale import Scale, labelled

_NARROW = 500.0
_AXIS = 30.0


@dataclass(frozen=True)
class Rows:
    """Where things are. `labels` and `figures` are widths of the columns beside the bars."""

    width: float
    count: int
    labels: float = 170.0
    figures: float = 120.0
    top: float = 4.0

    @property
    def narrow(self) -> bool:
        """Whether names stand above bars."""
        return self.width < _NARROW

    @property
    def begin(self) -> float:
        """Where bars begin."""
        return 2.0 if self.narrow else self.labels

    @property
    def end(self) -> float:
        """Where the longest may end."""
        return self.width - 6.0 if self.narrow else self.width - self.figures

    @property
    def pitch(self) -> float:
        """From one row to the next."""
        return 46.0 if self.narrow else 32.0

    @property
    def bottom(self) -> float:
        """Where the axis is."""
        return self.top + self.count * self.pitch + 4.0

    @property
    def height(self) -> float:
        """Of the whole, the axis and its numbers included."""
        return self.bottom + _AXIS

    def middle(self, row: int) -> float:
        """The middle of a row's bar."""
        return self.top + row * self.pitch + (33.0 if self.narrow else self.pitch / 2)

    def label(self, drawing: Drawing, row: int, name: str, figure: str, *, indent: float = 0.0) -> None:
        """Writes a row's name and figure."""
        base = self.top + row * self.pitch + 16.0 if self.narrow else self.middle(row) + 4.5
        figure_text = fitting(figure, self.width * 0.55 if self.narrow else self.figures + 20, NORMAL)
        beside = text_width(figure_text, NORMAL) + 10
        room = (self.width - beside if self.narrow else self.labels - 8) - indent
        drawing.text(indent, base, fitting(name, room, NORMAL), "name")
        drawing.text(self.width, base, figure_text, "figure", anchor="end")

    def axis(self, drawing: Drawing, scale: Scale, unit: str) -> None:
        """Grid lines with numbers below them; the unit is with the last."""
        found = labelled(scale.low, scale.high, 4 if self.narrow else 6)
        for number, (value, text) in enumerate(found):
            x = scale(value)
            # Where names stand above the bars, lines must not run through them.
            middles = [self.middle(row) for row in range(self.count)]
            parts = [(y - 11, y + 11) for y in middles] if self.narrow else [(self.top, self.bottom)]
            for above, below in parts:
                drawing.line((x, above), (x, below), "base" if value == 0 else "grid")
            last = number == len(found) - 1
            shown = f"{text} {unit}" if last else text
            half = text_width(shown) / 2
            drawing.text(min(max(x, half), self.width - half), self.bottom + 18, shown, "tick", anchor="middle")
