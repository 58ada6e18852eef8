"""Axes with round numbers, whatever the values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebin.report.charts.scale import labelled, scale, ticks

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 92.1, ["0", "20", "40", "60", "80"]),
        (0.0, 0.0589, ["0", "0.02", "0.04"]),
        (-3.1, 12.0, ["0", "5", "10"]),
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[str]) -> None:
    shown = [text for _, text in labelled(low, high)]
    assert shown == [text if text != "0.0" else "0" for text in expected]


@given(st.lists(NUMBERS, max_size=5), st.booleans())
def test_any_values_have_an_axis(values: list[float], zero: bool) -> None:
    axis = scale(values, 0.0, 100.0, zero=zero)
    assert axis.low < axis.high
    assert all(-1e-6 <= axis(value) <= 100 + 1e-6 for value in values)
    found = ticks(axis.low, axis.high)
    assert len(found) <= 6
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= value <= axis.high + slack for value in found)
    assert len({text for _, text in labelled(axis.low, axis.high)}) == len(found)


def test_what_lies_beyond_is_drawn_at_the_end() -> None:
    axis = scale([0.0, 10.0], 0.0, 100.0)
    assert (axis.clamped(-5), axis.clamped(1e300), axis.clamped(5)) == (0.0, 100.0, 50.0)
