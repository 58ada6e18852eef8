"""Energy from samples: against integrals that are known in closed form, and what is flagged."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebin.errors import InputError
from edgebin.profile.energy.joules import ENERGY_FLAGS, EnergyMeasurement, Idle, Window, measure_energy
from edgebin.profile.energy.trace import Channel, PowerSource, PowerTrace, Readings
from edgebin.profile.validity import FLAGS
from tests.profile.schedule import BUSY_W, IDLE_W, RUNS, START_NS, Made, make_run

SOURCE = PowerSource("ina3221", "module", "B", (Channel("VDD_IN", True), Channel("VDD_SOC", False)))
COUNTER = PowerSource("rapl", "packages", "D", (Channel("package-0", True), Channel("package-1", True)), "energy")
S = 1_000_000_000


def trace(times: Sequence[int], total: Sequence[float | None], source: PowerSource = SOURCE) -> PowerTrace:
    return PowerTrace.from_samples(source, [(t, (w, 0.1)) for t, w in zip(times, total, strict=True)])


def sampled(made: Made, hz: float = 100.0, noise_w: float = 0.02, **changes: object) -> EnergyMeasurement:
    seconds, watts = made.recorded(start_s=1.0, hz=hz, noise_w=noise_w)
    times = START_NS + np.rint((seconds - 1.0) * 1e9).astype(np.int64)
    samples = PowerTrace(SOURCE, times, np.stack((watts, watts / 2), axis=1))
    return measure_energy(dataclasses.replace(samples, **changes), made.windows, made.idles, requested_hz=hz)


def test_a_constant() -> None:
    readings = trace([0, S, 2 * S], [3.0, 3.0, 3.0]).total()
    assert readings.energy_j(0, 2 * S) == pytest.approx(6.0)
    assert readings.energy_j(S // 3, S) == pytest.approx(2.0)


def test_a_ramp_is_cut_at_the_edges_of_the_window() -> None:
    """From 1 W at 0 s to 5 W at 4 s, sampled at both ends only."""
    readings = trace([0, 4 * S], [1.0, 5.0]).total()
    assert readings.energy_j(S, 3 * S) == pytest.approx(6.0)
    assert readings.energy_j(S, S + S // 2) == pytest.approx((2.0 + 2.5) / 2 * 0.5)


def test_beyond_the_samples_the_nearest_holds() -> None:
    readings = trace([S, 2 * S], [2.0, 4.0]).total()
    assert readings.energy_j(0, 3 * S) == pytest.approx(2.0 + 3.0 + 4.0)


def test_counted_energy_is_exact_whatever_the_distances() -> None:
    """A value holds since the sample before: 2 W for 1 s, 10 W for 3 s, 1 W for half a second."""
    readings = trace([0, S, 4 * S, 4 * S + S // 2], [0.0, 1.9, 9.9, 0.9], COUNTER).total()
    assert readings.energy_j(0, 4 * S + S // 2) == pytest.approx(2 + 30 + 0.5)
    assert readings.energy_j(2 * S, 3 * S) == pytest.approx(10.0)
    assert readings.energy_j(S // 2, 2 * S) == pytest.approx(1.0 + 10.0)


def test_counted_energy_that_was_not_read_belongs_to_the_next_reading() -> None:
    readings = trace([0, S, 2 * S, 3 * S], [0.0, 1.9, None, 3.9], COUNTER).total()
    assert readings.energy_j(0, 3 * S) == pytest.approx(2.0 + 2 * 4.0)


@given(
    st.lists(st.floats(0, 20), min_size=2, max_size=30),
    st.lists(st.integers(1, S), min_size=31, max_size=31),
    st.booleans(),
    st.integers(0, 10 * S),
)
def test_energy_adds_up(watts: list[float], steps: list[int], counted: bool, cut: int) -> None:
    times = np.cumsum(steps)[: len(watts)] + START_NS
    readings = Readings(times, np.array(watts), steps=counted)
    begin, end = int(times[0]), int(times[-1])
    middle = begin + cut % (end - begin + 1)
    whole = readings.energy_j(begin, middle) + readings.energy_j(middle, end)
    assert whole == pytest.approx(readings.energy_j(begin, end), rel=1e-9, abs=1e-9)


def test_only_channels_of_the_total_are_added() -> None:
    assert trace([0, S], [3.0, 3.0]).total().watts.tolist() == [3.0, 3.0]
    assert trace([0, S], [3.0, 3.0], COUNTER).total().watts.tolist() == [3.1, 3.1]


def test_total_and_dynamic_energy_per_inference() -> None:
    made = make_run()
    found = sampled(made)
    for contender, name in ((0, "binary"), (1, "fp32")):
        energy = found.energies[0, contender]
        total = BUSY_W[contender] * 2.0 / RUNS
        assert energy.total_j_per_inference == pytest.approx(total, rel=0.01), name
        assert energy.dynamic_j_per_inference == pytest.approx(total - IDLE_W * 2.0 / RUNS, rel=0.02)
        assert energy.mean_w == pytest.approx(BUSY_W[contender], rel=0.01)
        assert energy.total_ci95_j[0] <= energy.total_j_per_inference <= energy.total_ci95_j[1]
        assert (energy.windows, energy.inferences, energy.kind) == (5, 5 * RUNS, "measured")
        assert BUSY_W[contender] < energy.peak_w < BUSY_W[contender] + 1.2
    assert found.flags == ()


def test_how_the_energy_came_about() -> None:
    power = sampled(make_run()).power
    assert (power.source, power.boundary, power.trust, power.channels) == ("ina3221", "module", "B", ("VDD_IN",))
    assert power.windows == 10
    assert power.window_seconds == pytest.approx(2.0)
    assert power.sample_hz == pytest.approx(100, rel=0.02)
    assert power.samples == pytest.approx(2000, rel=0.02)
    assert power.idle_before_w == pytest.approx(IDLE_W, abs=0.01)
    assert power.idle_after_w == pytest.approx(IDLE_W, abs=0.01)


def test_share_of_a_processor_that_sampling_took() -> None:
    """Of the ten seconds in which it did: a minute between two sessions is none of them."""
    times = [i * S // 100 + (60 * S if i > 500 else 0) for i in range(1001)]
    found = measure_energy(
        trace(times, [1.0] * 1001), [Window(0, 0, S, 4 * S, 4)], [], requested_hz=100, sampler_cpu_ns=20_000_000
    )
    assert found.power.sampler_cpu_share == pytest.approx(0.002, rel=0.01)
    assert found.energies[0, 0].dynamic_j_per_inference is None
    assert found.power.idle_before_w is None


def test_the_median_of_windows_counts_and_their_interval_is_known() -> None:
    """Five windows of 1, 2, 3, 4 and 50 J with one inference each."""
    times, watts, windows = [], [], []
    for i, joules in enumerate((1.0, 2.0, 3.0, 4.0, 50.0)):
        begin = i * 2 * S
        times += [begin + k * S // 50 for k in range(51)]
        watts += [joules] * 51
        windows.append(Window(0, 0, begin, begin + S, 1))
    energy = measure_energy(trace(times, watts), windows, [], requested_hz=50).energies[0, 0]
    assert energy.total_j_per_inference == 3.0
    assert energy.total_ci95_j == (1.0, 50.0)


@pytest.mark.parametrize(("after_w", "flagged"), [(IDLE_W + 0.08, False), (IDLE_W + 0.13, True), (IDLE_W - 0.2, True)])
def test_drift_of_the_baseline(after_w: float, flagged: bool) -> None:
    assert ("baseline_drift" in sampled(make_run(idle_after_w=after_w)).flags) == flagged


def test_drift_of_a_small_baseline_is_relative() -> None:
    times = [i * S // 100 for i in range(3001)]
    watts = [0.6] * 1000 + [2.0] * 1000 + [0.64] * 1001
    idles = [Idle(0, 0, 9 * S), Idle(0, 21 * S, 29 * S)]
    found = measure_energy(trace(times, watts), [Window(0, 0, 11 * S, 19 * S, 9)], idles, requested_hz=100)
    assert "baseline_drift" in found.flags


def test_too_few_samples() -> None:
    assert "too_few_samples" in sampled(make_run(), hz=5).flags
    assert "too_few_samples" not in sampled(make_run(), hz=20).flags


def _with_hole(hole_s: float, *, unread: bool) -> tuple[str, ...]:
    made = make_run()
    seconds, watts = made.recorded(start_s=1.0, hz=100)
    inside = (seconds > 7.0) & (seconds < 7.0 + hole_s)
    times = START_NS + np.rint((seconds - 1.0) * 1e9).astype(np.int64)
    both = np.stack((watts, watts), axis=1)
    if unread:
        both[inside, 0] = np.nan
    else:
        times, both = times[~inside], both[~inside]
    return measure_energy(PowerTrace(SOURCE, times, both), made.windows, made.idles, requested_hz=100).flags


@pytest.mark.parametrize("unread", [False, True])
def test_holes_in_a_window(unread: bool) -> None:
    assert "missing_samples" in _with_hole(0.2, unread=unread)
    assert "missing_samples" not in _with_hole(0.012, unread=unread)


@pytest.mark.parametrize(("every", "flagged"), [(1, False), (2, True), (3, True), (7, True)])
def test_readings_repeated_by_a_slow_sensor(every: int, flagged: bool) -> None:
    made = make_run()
    seconds, watts = made.recorded(start_s=1.0, hz=100)
    held = watts[np.arange(watts.size) // every * every]
    times = START_NS + np.rint((seconds - 1.0) * 1e9).astype(np.int64)
    samples = PowerTrace(SOURCE, times, np.stack((held, held), axis=1))
    found = measure_energy(samples, made.windows, made.idles, requested_hz=100)
    assert ("repeated_samples" in found.flags) == flagged


@pytest.mark.parametrize("step_w", [0.0, 0.04, 0.5])
@pytest.mark.parametrize("noise_w", [0.0, 0.02, 0.1])
def test_coarse_steps_are_no_repetition(step_w: float, noise_w: float) -> None:
    """A level load in steps of 40 mW stays on one value for long, by chance or for ever."""
    times = [i * S // 100 for i in range(2001)]
    watts = 3.01 + np.random.default_rng(5).normal(0, noise_w, 2001)
    if step_w:
        watts = np.round(watts / step_w) * step_w
    windows = [Window(0, 0, S, 19 * S, 9)]
    assert measure_energy(trace(times, watts.tolist()), windows, [], requested_hz=100).flags == ()


def test_a_sensor_that_says_how_slow_it_is() -> None:
    slow = dataclasses.replace(SOURCE, settings={"update_interval_ms": 35})
    assert sampled(make_run(), source=slow).flags == ("repeated_samples",)
    assert sampled(make_run(), source=dataclasses.replace(SOURCE, settings={"update_interval_ms": 10})).flags == ()


def test_every_flag_is_explained() -> None:
    assert set(ENERGY_FLAGS) <= set(FLAGS)


def test_without_windows_or_samples_there_is_no_energy() -> None:
    with pytest.raises(InputError, match="no energy window"):
        measure_energy(trace([0, S], [1.0, 1.0]), [], [], requested_hz=1)
    with pytest.raises(InputError, match="no reading in a window"):
        measure_energy(trace([0, S], [1.0, 1.0]), [Window(0, 0, 2 * S, 3 * S, 1)], [], requested_hz=1)
    with pytest.raises(InputError, match="no reading in a window"):
        measure_energy(trace([0, S], [None, None]), [Window(0, 0, 0, S, 1)], [], requested_hz=1)


def test_lines_of_power() -> None:
    lines = ['{"t_ns":5,"w":[1.5,null]}', "", '{"t_ns":9,"w":[null,2]}', '{"t_ns":11,"w":[1', ""]
    read = PowerTrace.from_lines(SOURCE, lines)
    assert read.t_ns.tolist() == [5, 9]
    np.testing.assert_array_equal(read.watts, [[1.5, np.nan], [np.nan, 2.0]])


@pytest.mark.parametrize(
    "lines",
    [["x", '{"t_ns":9,"w":[1,2]}'], ['{"t_ns":9,"w":[1]}'], ['{"t_ns":9,"w":[1,2]}', '{"t_ns":9,"w":[1,2]}']],
)
def test_lines_that_are_no_samples(lines: list[str]) -> None:
    with pytest.raises(InputError):
        PowerTrace.from_lines(SOURCE, lines)


def test_a_source_is_found_by_name() -> None:
    entry = {"boundary": "b", "trust": "D", "channels": [{"label": "package-0", "total": True}], "settings": {}}
    board = {"power_sources": [{"source": "rapl", "reading": "energy", **entry}]}
    assert PowerSource.from_inspect(board, "rapl").reading == "energy"
    with pytest.raises(InputError, match="no power source `pmic`"):
        PowerSource.from_inspect(board, "pmic")
