"""Text out of a record is somebody else's: made harmless here, whatever it is shown on."""

from __future__ import annotations

import re
import unicodedata

_LONGEST, _LONGEST_NAME = 2000, 80
# Categories of what cannot be seen or steers what can: control, format (direction of writing), surrogate, private use.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# All but the spaces that keep a figure and its unit together.
_SPACE = re.compile(r"[^\S\u00a0\u202f]+")
# Brackets alone do nothing: with a parenthesis or a colon after them they make a link or a picture.
_MARKDOWN = re.compile(r"([\\|<`*&]|(?<=\])[(:]|~(?=~))")
_MARKDOWN_AT_START = re.compile(r"^(\d+(?=[.)] )|)([#>+=~.)-])")


def clean(text: str) -> str:
    """One line without control characters and not endless; what was there is seen as `�`."""
    line = _SPACE.sub(" ", text[: 4 * _LONGEST]).strip()
    if line.isascii() and line.isprintable():
        return shortened(line, _LONGEST)
    seen = "".join("�" if unicodedata.category(character) in _UNSEEN else character for character in line)
    return shortened(seen, _LONGEST)


def shortened(text: str, length: int) -> str:
    """At most `length` characters, the end replaced by `…`."""
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"


def name_of(text: str) -> str:
    """A name short enough for a sentence or a cell."""
    return shortened(clean(text), _LONGEST_NAME)


def in_markdown(text: str) -> str:
    """A cell that Markdown shows as it is: no tables, links, images or HTML come of it."""
    return _MARKDOWN.sub(r"\\\1", clean(text))


def markdown_line(text: str) -> str:
    """The same for what begins a line: no headings, lists or rules come of it either."""
    return _MARKDOWN_AT_START.sub(r"\1\\\2", in_markdown(text))
