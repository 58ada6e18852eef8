"""Which columns of an external meter's log hold time, power, voltage and current, and in which units.

Known headers: Joulescope (`#time,current,voltage,power,charge,energy`, all in SI units, and `time (s)` and the like of
exports), Nordic PPK2 (`Timestamp(ms),Current(uA),D0-D7`), Otii (`Timestamp`, `Main Current (A)`), and whatever names a
quantity and its unit: `power_mW`, `Voltage [V]`, `P (W)`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgebin.errors import InputError

_QUANTITIES = {
    "time": re.compile(r"\b(time|timestamp|time stamp|date|datetime|t|elapsed)\b"),
    "power": re.compile(r"\b(power|p|watts?)\b"),
    "voltage": re.compile(r"\b(voltage|v|volts?|u|vbus)\b"),
    "current": re.compile(r"\b(current|i|amps?|amperes?)\b"),
}
_SCALES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_BASES = {"time": "s", "power": "W", "voltage": "V", "current": "A"}
_WORDS = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms", "milliseconds": "ms", "usec": "us"}
_UNIT = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$|(?:[_ /,]|\s-\s)([numµμ]?[smWVA]|[num]?sec(?:ond)?s?)\s*$")
_JOULESCOPE = ("time", "current", "voltage", "power")


@dataclass(frozen=True)
class Column:
    """A column by number. `scale` makes SI units of its values; None: the header names no unit."""

    index: int
    scale: float | None


@dataclass(frozen=True)
class Columns:
    """Where a row has its time, and its power or what that is the product of."""

    time: Column
    power: Column | None
    voltage: Column | None
    current: Column | None


def columns_of(header: Sequence[str]) -> Columns:
    """Reads a header line, already split.

    Raises:
        InputError: no time, no power and nothing to make it of, two columns for one quantity, or no unit.
    """
    names = [name.strip().lstrip("#﻿").strip().strip('"') for name in header]
    si = tuple(name.lower() for name in names[:4]) == _JOULESCOPE
    found: dict[str, Column] = {}
    for quantity in _QUANTITIES:
        matches = [index for index, name in enumerate(names) if _quantity(name) == quantity]
        if len(matches) > 1:
            both = "` and `".join(names[index] for index in matches[:2])
            raise InputError(f"the log has two columns of {quantity}, `{both}`", hint="export one channel only")
        if matches:
            scale = 1.0 if si else _scale(names[matches[0]], quantity)
            if scale is None and quantity != "time":
                raise InputError(
                    f"the column `{names[matches[0]]}` of the log names no unit",
                    hint=f"write it into the header, such as `{quantity} ({_BASES[quantity]})`",
                )
            found[quantity] = Column(matches[0], scale)
    if "time" not in found or not {"power", "current"} & set(found):
        raise InputError(
            f"the log has columns {', '.join(f'`{name}`' for name in names[:12])}: "
            + ("none of them is time" if "time" not in found else "none of them is power or current"),
            hint="a log needs a header with time and power, or time, voltage and current, and their units",
        )
    return Columns(found["time"], found.get("power"), found.get("voltage"), found.get("current"))


def is_header(fields: Sequence[str]) -> bool:
    """Whether a line names columns: a time, and something else that is known."""
    quantities = {_quantity(field.strip().lstrip("#﻿").strip().strip('"')) for field in fields}
    return "time" in quantities and bool(quantities & {"power", "current", "voltage"})


def _quantity(name: str) -> str | None:
    """What a column holds, by the words in its name but for the unit; None where that is nothing of ours."""
    words = re.sub(r"[^a-z]+", " ", _UNIT.sub("", name).lower()) or name.lower()
    return next((quantity for quantity, pattern in _QUANTITIES.items() if pattern.search(words)), None)


def _scale(name: str, quantity: str) -> float | None:
    match = _UNIT.search(name)
    if match is None:
        return None
    unit = (match[1] or match[2]).strip().replace("µ", "u").replace("μ", "u")
    unit = _WORDS.get(unit.lower(), unit)
    prefix, base = unit[:-1], unit[-1:]
    if base != _BASES[quantity] or prefix not in _SCALES:
        raise InputError(
            f"the column `{name}` of the log is in `{unit}`, which is no unit of {quantity}",
            hint=f"known: {', '.join(prefix + _BASES[quantity] for prefix in _SCALES)}",
        )
    return _SCALES[prefix]
