"""The text that the agent reads."""

from __future__ import annotations

import pytest

from edgebin.errors import InputError
from edgebin.profile.measure.plan import Plan, Program, Session


def test_a_plan_says_everything_once_and_in_order() -> None:
    fp32 = Program("fp32", ("/b/ort_runner", "/b/a b.onnx"), (("ORT_DISABLE_TELEMETRY", "1"),))
    plan = Plan(
        sessions=(Session(1, (3,), (Program("binary", ("/b/runner", "--serve")), fp32)), Session(2, None, (fp32,))),
        commands=(Program("layers of binary", ("/b/runner", "--per-op")),),
        power="hwmon:ina219:vdd in",
        idle_seconds=20,
        tune=("governor performance", "nvpmodel 0"),
        root="/recorded",
    )
    assert plan.text().splitlines() == [
        "edgebin-plan 1",
        "root /recorded",
        "power hwmon:ina219:vdd in",
        "power-hz 100",
        "warmup-seconds 1",
        "min-runs 50",
        "min-seconds 5",
        "idle-seconds 20",
        "energy-windows 5",
        "energy-seconds 10",
        "energy-min-runs 100",
        "tune governor performance",
        "tune nvpmodel 0",
        "session 1 3",
        "contender binary",
        "arg /b/runner",
        "arg --serve",
        "contender fp32",
        "arg /b/ort_runner",
        "arg /b/a b.onnx",
        "env ORT_DISABLE_TELEMETRY=1",
        "session 2 -",
        "contender fp32",
        "arg /b/ort_runner",
        "arg /b/a b.onnx",
        "env ORT_DISABLE_TELEMETRY=1",
        "command layers of binary",
        "arg /b/runner",
        "arg --per-op",
    ]


@pytest.mark.parametrize("word", ["a\nsession 9 -", "a\rb", "a\0b"])
def test_a_word_never_becomes_a_line_of_its_own(word: str) -> None:
    with pytest.raises(InputError, match="line break"):
        Plan((Session(1, None, (Program("binary", (word,)),)),)).text()
