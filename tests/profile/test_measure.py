"""Several ways to run one model: the quickest that takes it is measured, and the others are told of."""

from __future__ import annotations

import sys

import pytest

from edgebin.errors import BoardError
from edgebin.profile.contender import Contender
from edgebin.profile.measure import measure

_SERVES = """
import sys
print("{}", flush=True)
for line in sys.stdin:
    print('{"samples_ns": [%s]}' % ", ".join(["NS"] * int(line.split()[1])), flush=True)
"""


def serves(ns: int, how: str) -> Contender:
    return Contender("model", "program", (sys.executable, "-c", _SERVES.replace("NS", str(ns))), 1, how)


def refuses(how: str) -> Contender:
    return Contender("model", "program", (sys.executable, "-c", "raise SystemExit('no such op')"), 1, how)


QUICK = {"cpus": None, "min_runs": 2, "min_seconds": 0.0, "warmup_seconds": 0.0}


def test_the_quickest_of_those_that_take_the_model() -> None:
    ways = [serves(9000, "slowly"), refuses("by default"), serves(3000, "with care")]
    comparison, (side,) = measure(ways, **QUICK)
    assert comparison.timings[0].first_ms == pytest.approx(0.003)
    assert side.note == "with care; slower in a trial: slowly, 3.00×; it refuses the model by default"


def test_the_only_one_that_takes_the_model() -> None:
    _, (side,) = measure([refuses("by default"), serves(3000, "with care")], **QUICK)
    assert side.note == "with care; it refuses the model by default"


def test_a_model_that_nobody_takes() -> None:
    with pytest.raises(BoardError, match="no such op"):
        measure([refuses("by default"), refuses("with care")], **QUICK)
