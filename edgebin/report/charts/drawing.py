"""A drawing: SVG elements in a view box, with a name and a description for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from edgebin.report.text import clean, shortened

# Of the size of the font: what a character takes on average in the widest fonts that browsers choose from.
_CHARACTER = 0.62
SMALL, NORMAL = 12.0, 13.0

Point = tuple[float, float]


@dataclass
class Drawing:
    """Elements are drawn in the order of the calls. Colours and strokes are classes, see templates/page.css."""

    width: float
    height: float
    title: str
    description: str
    _parts: list[Markup] = field(default_factory=list)

    def line(self, begin: Point, end: Point, class_: str) -> None:
        """A straight line."""
        self._add("line", x1=begin[0], y1=begin[1], x2=end[0], y2=end[1], class_=class_)

    def rectangle(self, x: float, y: float, width: float, height: float, class_: str) -> None:
        """A rectangle; none where it would have no size."""
        if width > 0 and height > 0:
            self._add("rect", x=x, y=y, width=width, height=height, class_=class_)

    def polyline(self, points: Iterable[Point], class_: str) -> None:
        """Points joined by lines."""
        self._add("polyline", points=" ".join(f"{_number(x)},{_number(y)}" for x, y in points), class_=class_)

    def area(self, upper: Iterable[Point], lower: Iterable[Point], class_: str) -> None:
        """What lies between two lines of points."""
        outline = [*upper, *reversed(list(lower))]
        self._add("polygon", points=" ".join(f"{_number(x)},{_number(y)}" for x, y in outline), class_=class_)

    def path(self, data: str, class_: str) -> None:
        """A path in SVG's own words."""
        self._add("path", d=data, class_=class_)

    def text(self, x: float, y: float, text: str, class_: str = "", *, anchor: str = "start") -> None:
        """A line of text; `y` is its base line. `anchor`: start, middle or end."""
        anchors = {} if anchor == "start" else {"text_anchor": anchor}
        self._add("text", clean(text), x=x, y=y, **anchors, **({"class_": class_} if class_ else {}))

    def markup(self, identity: str) -> Markup:
        """The whole `svg` element. `identity` is unique in the page."""
        return Markup(
            '<svg role="img" viewBox="0 0 {} {}" width="{}" aria-labelledby="{}-t {}-d">'
            '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>'
        ).format(
            *(_number(self.width), _number(self.height), _number(self.width), identity, identity),
            *(identity, clean(self.title), identity, _paragraph(self.description), Markup("").join(self._parts)),
        )

    def ornament(self) -> Markup:
        """The drawing without a name, for what text beside it says already."""
        size = _number(self.width), _number(self.height)
        shape = Markup("").join(self._parts)
        return Markup('<svg aria-hidden="true" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>').format(
            *size, *size, shape
        )

    def _add(self, name: str, content: str = "", **attributes: object) -> None:
        written = Markup("").join(
            Markup(' {}="{}"').format(
                key.rstrip("_").replace("_", "-"),
                _number(value) if isinstance(value, float) else value,
            )
            for key, value in attributes.items()
        )
        self._parts.append(Markup("<{}{}>{}</{}>").format(Markup(name), written, escape(content), Markup(name)))


def text_width(text: str, size: float = SMALL) -> float:
    """About the width of a line of text, rather too wide than too narrow."""
    return len(text) * _CHARACTER * size


def fitting(text: str, width: float, size: float = SMALL) -> str:
    """Text shortened so that it fits a width."""
    return shortened(clean(text), max(1, int(width / (_CHARACTER * size))))


def _paragraph(text: str) -> str:
    return " ".join(clean(sentence) for sentence in text.splitlines())


def _number(value: float) -> str:
    """At most one digit after the point: a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
