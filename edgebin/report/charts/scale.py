"""Axes: from values to pixels, with round numbers at the ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Linear from [low, high] to [begin, end] in pixels."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    def clamped(self, value: float) -> float:
        """The pixel of the nearest value on the axis."""
        return self(min(max(value, self.low), self.high))


def scale(values: Iterable[float], begin: float, end: float, *, zero: bool = True) -> Scale:
    """One that reaches over all values, and from 0 on if `zero`."""
    found = [*values, *([0.0] if zero else [])]
    low, high = min(found, default=0.0), max(found, default=1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-30):
        reach = abs(high) * 0.05 or 1.0
        low, high = (low, high + reach) if zero else (low - reach, high + reach)
    return Scale(low, high, begin, end)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Multiples of a round number (1, 2 or 5 times a power of ten) within [low, high], at most `most` + 1."""
    raw = (high - low) / max(1, most)
    if not math.isfinite(raw) or raw <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_text(value: float, step: float) -> str:
    """A number with as many digits as its step needs."""
    if value == 0 or step <= 0:
        return "0" if value == 0 else f"{value:g}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 6 or abs(value) >= 1e7:
        return f"{value:.3g}"
    return f"{value:.{decimals}f}"


def labelled(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Ticks with their texts."""
    found = ticks(low, high, most)
    step = found[1] - found[0] if len(found) > 1 else abs(found[0]) if found else 0.0
    return [(value, tick_text(value, step)) for value in found]
