"""The verdict on a run, from made-up machines and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from edgebin.profile.quantities import MeasuredLatency, Speedup
from edgebin.profile.record import Validity, Variant
from edgebin.profile.validity import FLAGS, ClockReading, flag_of, judge, sentence
from tests.board.boards import PI4, board

PI3 = {"model": "Raspberry Pi 3 Model B Plus Rev 1.3"}


def variant(name: str, low: float, high: float) -> Variant:
    latency = MeasuredLatency(50, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)
    return Variant(name, "engine", latency, Speedup(10.0, 10.0, low, high), 1)


def readings(*mhz: float, session: int = 0, cpu: int = 3) -> list[ClockReading]:
    return [ClockReading(session, cpu, value * 1e6) for value in mhz]


def throttled(bits: int) -> dict[str, Any]:
    return {"throttled": {"source": "firmware", "bits": bits}}


def over_current(*counts: int) -> dict[str, Any]:
    return {"over_current": [{"name": f"oc{number}", "count": count} for number, count in enumerate(counts, 1)]}


def hot(celsius: float) -> dict[str, Any]:
    zones = [{"name": "other", "celsius": 20.0}, {"name": "cpu-thermal", "celsius": celsius}]
    return {"temperatures": zones}


def test_a_quiet_run_is_valid() -> None:
    verdict = judge(
        [variant("binary", 9.5, 10.5)],
        before=board(),
        after=board(),
        clocks=readings(1800, 1799, 1795),
        samples={"binary": [1.0, 1.1, 1.2], "fp32": []},
    )
    assert verdict == Validity(ok=True)
    assert judge([]) == Validity(ok=True), "nobody looked"


@pytest.mark.parametrize(
    ("before", "after", "flags"),
    [
        (throttled(0x1), throttled(0x10001), ("throttled",)),
        (throttled(0), throttled(0x8), ("throttled",)),
        (throttled(0x10000), throttled(0x50000), ("throttled",)),
        (throttled(0xF0000), throttled(0xF0000), ()),  # since it was switched on, not now
        (throttled(0x10000), {"throttled": None}, ()),
        ({"throttled": None}, throttled(0x10000), ()),  # it cannot be told when
        (over_current(0, 12), over_current(0, 13), ("throttled",)),
        (over_current(0, 12), over_current(0, 12), ()),
        (over_current(), over_current(7), ()),
        (hot(79.9), hot(79.9), ()),
        (hot(50.0), hot(80.0), ("hot",)),
        (hot(81.0), hot(50.0), ("hot",)),
        (PI3 | hot(60.0), PI3 | hot(50.0), ("hot",)),
        (PI3 | hot(59.9), PI3 | hot(59.9), ()),
        ({"model": "NVIDIA Jetson Nano Developer Kit"} | hot(85.0), {"model": None} | hot(90.0), ()),
        ({"busy_processors": 2.0}, {"busy_processors": 1.0}, ("load",)),
        ({"busy_processors": 0.9}, {"busy_processors": 4.0}, ()),  # afterwards it is our own
        ({"busy_processors": None}, {}, ()),
    ],
)
def test_states_before_and_after(before: dict[str, Any], after: dict[str, Any], flags: Sequence[str]) -> None:
    assert judge([], before=board(**before), after=board(**after)) == Validity(not flags, tuple(flags))


def test_a_state_that_was_seen_once_is_judged_as_well() -> None:
    assert judge([], before=board(**throttled(4))).flags == ("throttled",)
    assert judge([], after=board(**hot(85.0))).flags == ("hot",)


@pytest.mark.parametrize(
    ("clocks", "flags"),
    [
        (readings(1800, 1765), ()),
        (readings(1800, 1763), ("clock_drift",)),
        (readings(1763, 1800), ("clock_drift",)),
        (readings(1800) + readings(1700, session=1), ("below_nominal",)),  # more are busy: no drift, but slower
        (readings(1800) + readings(1764, cpu=2), ()),  # another core's own clock
        (readings(1500, 1500), ("below_nominal",)),
        (readings(1500, 1800), ("clock_drift",)),
        (readings(1765, cpu=9), ()),  # of which nothing is known
        ((), ()),
    ],
)
def test_clocks(clocks: Sequence[ClockReading], flags: Sequence[str]) -> None:
    verdict = judge([], before=board(), after=board(), clocks=clocks)
    assert verdict.flags == tuple(flags)
    assert verdict.ok == ("clock_drift" not in flags), "a low clock alone does no harm to a comparison"


def test_without_a_nominal_clock_none_is_missed() -> None:
    cpus = [cpu | {"max_hz": None} for cpu in PI4["cpus"]]
    assert judge([], after=board(cpus=cpus), clocks=readings(100)) == Validity(ok=True)
    assert judge([], after=board(cpus=cpus), clocks=readings(4400, 4181)) == Validity(ok=True)
    assert judge([], after=board(cpus=cpus), clocks=readings(4400, 4179)).flags == ("clock_drift",)


def test_spread_of_samples_names_the_variant() -> None:
    steady, disturbed = [1.0] * 90 + [1.4] * 10, [1.0] * 80 + [1.6] * 20
    verdict = judge([], samples={"binary": steady, "fp32": disturbed})
    assert verdict == Validity(False, ("load:fp32",))


def test_imprecise_ratios_name_the_variant() -> None:
    verdict = judge([variant("binary", 8.9, 10.1), variant("int8", 9.1, 10.9), variant("x", 9.9, 11.1)])
    assert verdict == Validity(False, ("imprecise:binary", "imprecise:x"))


def test_flags_of_others_count_and_none_is_said_twice() -> None:
    assert judge([], others=("baseline_drift", "baseline_drift")) == Validity(False, ("baseline_drift",))
    assert judge([], others=("below_nominal",)) == Validity(True, ("below_nominal",))


def test_every_flag_has_words_and_so_have_those_of_a_newer_edgebin() -> None:
    for name, flag in FLAGS.items():
        assert sentence(name) == f"{name}: {flag.meaning}; {flag.action}"
    assert sentence("imprecise:int8").startswith("imprecise (int8): the 95 % interval")
    assert flag_of("invented_later").invalid
    assert sentence("invented_later:x").startswith("invented_later (x): this edgebin does not know")
