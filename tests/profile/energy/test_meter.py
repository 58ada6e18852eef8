"""Logs of external meters: what is read, what is refused, and whose clock is found."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edgebin.errors import InputError
from edgebin.profile.energy.meter import SOURCE, add_meter_log, measure_log
from edgebin.profile.energy.meter_log import MeterLog, read_meter_log
from edgebin.profile.energy.trace import PowerTrace
from edgebin.profile.quantities import MeasuredEnergy, MeasuredLatency
from edgebin.profile.record import Artefact, Device, Protocol, RunRecord, Validity, Variant
from tests.profile.schedule import BUSY_W, EPOCH_AHEAD_NS, IDLE_W, RUNS, START_NS, Made, make_run


def read(tmp_path: Path, text: str, *, volts: float | None = None) -> MeterLog:
    path = tmp_path / "log.csv"
    path.write_bytes(text.encode())
    return read_meter_log(path, volts=volts)


@pytest.mark.parametrize(
    ("text", "volts"),
    [
        ("#time,current,voltage,power,charge,energy\n0.0,0.4,5,2.0,0,0\n0.5,0.6,5,3.0,0.2,0.95\n", None),
        ("time (s),current (A),voltage (V)\n0.0,0.4,5\n0.5,0.6,5\n", None),
        ("Timestamp(ms),Current(uA),D0-D7\n0,400000,00000000\n500,600000,01010101\n", 5.0),
        (
            "Timestamp(ms),Current(uA),D0,D1,D2,D3,D4,D5,D6,D7\n0,400000,0,0,0,0,0,0,0,0\n500,600000,0,0,0,0,0,0,0,0\n",
            5.0,
        ),
        ('"Timestamp","Main Current (A)","Main Voltage (V)"\n"0","0.4","5"\n"0.5","0.6","5"\n', None),
        ("# exported by a program\n\nTime [s]\tP [mW]\n0\t2000\n0.5\t3000\n", None),
        ("time_us;power_mW\n0,0;2000,0\n500000,0;3000,0\n", None),
        ("elapsed (s),Voltage (mV),Current (mA)\n10,5000,400\n10.5,5000,600\n", None),
        ("time (ms),Current (µA),Voltage (V)\r\n0,400000,5\r\n500,600000,5\r\n\r\n", None),
        ("time (s),power (W)\n0,2\n0.25,nan\n0.5,3\n", None),
    ],
)
def test_formats(tmp_path: Path, text: str, volts: float | None) -> None:
    log = read(tmp_path, text, volts=volts)
    np.testing.assert_allclose(log.seconds, [0, 0.5])
    np.testing.assert_allclose(log.watts, [2.0, 3.0])
    assert (log.epoch_ns, log.hz) == (None, pytest.approx(2.0))


@pytest.mark.parametrize(
    ("first", "second", "header"),
    [
        ("1790000000.25", "1790000000.75", "time"),
        ("1790000000250", "1790000000750", "Timestamp (ms)"),
        ("1790000000250", "1790000000750", "time"),
        ("1790000000250000", "1790000000750000", "time_us"),
        ("2026-09-21T14:13:20.25Z", "2026-09-21T14:13:20.75Z", "time"),
        ("2026-09-21 16:13:20.250+02:00", "2026-09-21 16:13:20.750+02:00", "Timestamp"),
    ],
)
def test_absolute_times(tmp_path: Path, first: str, second: str, header: str) -> None:
    log = read(tmp_path, f"{header},power (W)\n{first},1\n{second},2\n")
    np.testing.assert_allclose(log.seconds, [0, 0.5], atol=1e-5)
    assert log.epoch_ns == pytest.approx(1_790_000_000_250_000_000, abs=1000)


def test_times_without_a_zone_are_relative(tmp_path: Path) -> None:
    log = read(tmp_path, "time,power (W)\n2026-09-21 16:13:20,1\n2026-09-21 16:13:21,2\n")
    assert log.epoch_ns is None
    np.testing.assert_allclose(log.seconds, [0, 1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no line names time and power; it begins with ''"),
        ("Zeit;Leistung\n1;2\n", "it begins with 'Zeit;Leistung'"),
        ("\x7fELF\x01\x02", "no line names time and power"),
        ("time (s),voltage (V)\n0,5\n1,5\n", "columns `time (s)`, `voltage (V)`: none of them is power or current"),
        ("time (s),power\n0,5\n1,5\n", "the column `power` of the log names no unit"),
        ("time (h),power (W)\n0,5\n1,5\n", "`time (h)` of the log is in `h`, which is no unit of time"),
        ("time (s),power (V)\n0,5\n1,5\n", "is in `V`, which is no unit of power"),
        ("time (s),Arc current (A),Ace current (A)\n0,1,2\n", "two columns of current"),
        ("time (s),current (A)\n0,1\n1,1\n", "has current but neither voltage nor power"),
        ("time (s),power (W)\n0,1\n1,x\n", "line 3 is not a row of figures: '1,x'"),
        ("time (s),power (W)\n0,1\n1\n", "line 3 is not a row of figures: '1'"),
        ("time (s),power (W)\n0,1\n", "fewer than two rows"),
        ("time (s),power (W)\n", "fewer than two rows"),
        ("time (s),power (W)\n0,1\n2,1\n1,1\n", "go back"),
    ],
)
def test_what_is_not_understood_says_what_was_found(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert found in caught.value.message


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_meter_log(tmp_path / "none.csv")


def test_fast_logs_are_averaged_and_keep_their_energy(tmp_path: Path) -> None:
    """20 000 samples a second, of which every fourth is a peak."""
    rows = "".join(f"{i * 0.05:.2f},{4_000_000 if i % 4 == 0 else 0}\n" for i in range(20_000))
    log = read(tmp_path, "Timestamp(ms),Current(uA),D0-D7\n" + rows.replace("\n", ",0\n"), volts=2.0)
    assert log.seconds.size == 1000
    assert log.hz == pytest.approx(20_000, rel=1e-3)
    np.testing.assert_allclose(log.watts, 2.0)


def log_of(
    made: Made, *, start_s: float, hz: float = 200.0, drift: float = 0.0, absolute_ns: int | None = None
) -> MeterLog:
    """`absolute_ns`: how far the meter's time of day is ahead of the board's."""
    seconds, watts = made.recorded(start_s=start_s, hz=hz, drift=drift)
    epoch_ns = None
    if absolute_ns is not None:
        epoch_ns = START_NS + EPOCH_AHEAD_NS - round(start_s * 1e9) + absolute_ns
    return MeterLog(seconds, watts, epoch_ns, hz)


def check_energies(made: Made, log: MeterLog) -> str:
    metered = measure_log(log, made.events)
    for contender, busy_w in enumerate(BUSY_W):
        energy = metered.measurement.energies[0, contender]
        assert energy.total_j_per_inference == pytest.approx(busy_w * 2.0 / RUNS, rel=0.01)
        assert energy.dynamic_j_per_inference == pytest.approx((busy_w - IDLE_W) * 2.0 / RUNS, rel=0.02)
    power = metered.measurement.power
    assert (power.source, power.trust, power.channels) == ("meter", "A", ("input",))
    assert power.alignment is not None
    return power.alignment


@pytest.mark.parametrize("drift", [0.0, 80e-6, -150e-6])
@pytest.mark.parametrize("start_s", [3.0, 12.345])
def test_a_clock_of_known_offset_and_drift(start_s: float, drift: float) -> None:
    made = make_run()
    log = log_of(made, start_s=start_s, drift=drift)
    assert "fitted to when the board was busy and idle" in check_energies(made, log)
    found = measure_log(log, made.events).trace
    # Where the meter's samples really lay on the board's clock, at the begin and at the end of the windows.
    true_ns = START_NS + (log.seconds - start_s) * (1 + drift) * 1e9
    off_s = (found.t_ns - true_ns) / 1e9
    during = (true_ns > made.windows[0].begin_ns) & (true_ns < made.windows[-1].end_ns)
    assert np.abs(off_s[during]).max() < 0.05


@pytest.mark.parametrize("drift", [0.0, 150e-6, -250e-6])
def test_the_drift_of_a_long_run_is_found(drift: float) -> None:
    """Over twenty minutes 150 ppm are 0.18 s."""
    made = make_run(windows=20, window_s=30.0, idle_s=20.0)
    log = log_of(made, start_s=33.3, hz=50.0, drift=drift)
    metered = measure_log(log, made.events)
    true_ns = START_NS + (log.seconds - 33.3) * (1 + drift) * 1e9
    assert np.abs((metered.trace.t_ns - true_ns) / 1e9).max() < 0.05
    for contender, busy_w in enumerate(BUSY_W):
        energy = metered.measurement.energies[0, contender]
        assert energy.total_j_per_inference == pytest.approx(busy_w * 30.0 / RUNS, rel=0.005)


@pytest.mark.parametrize("hz", [5.0, 50.0, 1000.0])
def test_meters_fast_and_slow(hz: float) -> None:
    """A meter shows the mean over its interval, at the interval's middle."""
    made = make_run(window_s=4.0)
    seconds, watts = made.recorded(start_s=5.0, hz=1000)
    each = round(1000 / hz)
    whole = seconds.size // each * each
    log = MeterLog(np.arange(whole // each) / hz, watts[:whole].reshape(-1, each).mean(axis=1), None, hz)
    metered = measure_log(log, made.events)
    for contender, busy_w in enumerate(BUSY_W):
        energy = metered.measurement.energies[0, contender]
        assert energy.total_j_per_inference == pytest.approx(busy_w * 4.0 / RUNS, rel=0.01)


def test_the_stated_uncertainty_holds_the_error() -> None:
    made = make_run()
    said = check_energies(made, log_of(made, start_s=7.77))
    stated_s = float(said.partition("±")[2].partition(" s")[0])
    trace = measure_log(log_of(made, start_s=7.77), made.events).trace
    assert abs((trace.t_ns[0] - (START_NS - 7.77e9)) / 1e9) <= stated_s
    assert stated_s < 0.5


def test_time_stamps_of_a_clock_that_is_set_otherwise() -> None:
    """The meter's host is 2.5 s ahead of the board: the schedule wins, and the difference is told."""
    made = make_run()
    said = check_energies(made, log_of(made, start_s=40.0, absolute_ns=2_500_000_000))
    assert "the meter's time of day is 2.5" in said
    assert "s ahead of the board's" in said


def test_two_runs_in_one_log_are_told_apart_by_time_stamps_only() -> None:
    made = make_run()
    once = log_of(made, start_s=5.0)
    far = once.seconds[-1] + 100
    twice = MeterLog(
        np.concatenate((once.seconds, once.seconds + far)),
        np.concatenate((once.watts, once.watts)),
        None,
        once.hz,
    )
    with pytest.raises(InputError, match="nearly as well"):
        measure_log(twice, made.events)
    stamped = dataclasses.replace(twice, epoch_ns=START_NS + EPOCH_AHEAD_NS - round((5.0 + far) * 1e9))
    check_energies(made, stamped)


def test_a_log_of_something_else_is_refused() -> None:
    made = make_run()
    noise = np.random.default_rng(3).normal(3, 0.5, 20_000)
    with pytest.raises(InputError, match="does not follow what ran"):
        measure_log(MeterLog(np.arange(20_000) / 200, noise, None, 200.0), made.events)


def test_a_log_where_idling_draws_more_is_refused() -> None:
    made = make_run()
    log = log_of(made, start_s=5.0)
    with pytest.raises(InputError, match="does not follow what ran"):
        measure_log(dataclasses.replace(log, watts=8 - log.watts), made.events)


def test_by_time_stamps_alone_where_nothing_shows() -> None:
    made = make_run()
    log = log_of(made, start_s=5.0, absolute_ns=0)
    flat = dataclasses.replace(log, watts=np.full(log.watts.size, 3.0))
    power = measure_log(flat, made.events).measurement.power
    assert power.alignment is not None
    assert power.alignment.startswith("by time stamps alone")


@pytest.mark.parametrize("stamped", [False, True])
def test_a_log_that_is_too_short_is_refused(stamped: bool) -> None:
    made = make_run()
    log = log_of(made, start_s=0.0, absolute_ns=0 if stamped else None)
    part = slice(0, log.seconds.size // 2)
    with pytest.raises(InputError, match="cover"):
        measure_log(dataclasses.replace(log, seconds=log.seconds[part], watts=log.watts[part]), made.events)


def test_a_log_of_another_day_is_refused() -> None:
    made = make_run()
    with pytest.raises(InputError, match="by its time stamps the log does not cover the run"):
        measure_log(log_of(made, start_s=5.0, absolute_ns=86_400 * 10**9), made.events)


def latency() -> MeasuredLatency:
    return MeasuredLatency(50, 50.0, 51.0, 52.0, 49.0, 50.0, 0.5)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run with `--energy meter` as far as a log needs it."""
    folder = tmp_path / "run"
    folder.mkdir()
    record = RunRecord(
        edgebin_version="0",
        created_utc="2026-01-01T00:00:00+00:00",
        bundles=(Artefact("a.ebz", "0" * 64, 5),),
        device=Device("rpi4b", "Raspberry Pi 4B", "Cortex-A72", 1_500_000_000),
        protocol=Protocol((1,), 50, 5.0, 1.0, 3, interleaved=True),
        variants=tuple(Variant(name, "engine", latency(), None, 5) for name in ("binary", "fp32")),
        layers=(),
        validity=Validity(ok=False, flags=("load", "baseline_drift")),
        no_energy="the log of the external meter has not been read yet",
    )
    (folder / "run.json").write_text(json.dumps(record.to_dict()))
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in make_run().events))
    return folder


def write_log(path: Path, made: Made, start_s: float = 6.5) -> Path:
    seconds, watts = made.recorded(start_s=start_s, hz=1000)
    rows = "".join(f"{t * 1e3:.3f},{w / 5.1 * 1e6:.3f},00000000\n" for t, w in zip(seconds, watts, strict=True))
    path.write_text("Timestamp(ms),Current(uA),D0-D7\n" + rows)
    return path


def test_a_log_is_added_to_a_run_folder(run_folder: Path, tmp_path: Path) -> None:
    made = make_run()
    log = write_log(tmp_path / "ppk2.csv", made)
    record = add_meter_log(run_folder, log, volts=5.1)
    assert RunRecord.read(run_folder) == record
    for variant, busy_w in zip(record.variants, BUSY_W, strict=True):
        assert isinstance(variant.energy, MeasuredEnergy)
        assert variant.energy.total_j_per_inference == pytest.approx(busy_w * 2.0 / RUNS, rel=0.01)
        assert variant.latency == latency()
    assert record.no_energy is None
    assert record.validity.flags == ("load",)  # what the energy of before had is gone
    with (run_folder / "power.jsonl").open() as lines:
        stored = PowerTrace.from_lines(SOURCE, lines)
    assert stored.t_ns.size == pytest.approx(100 * (made.end_s + 14.5), rel=0.01)
    window = made.windows[0]
    assert stored.total().mean_w(window.begin_ns, window.end_ns) == pytest.approx(BUSY_W[0], rel=0.01)
    assert sorted(path.name for path in run_folder.iterdir()) == ["events.jsonl", "power.jsonl", "run.json"]
    assert add_meter_log(run_folder, log, volts=5.1) == record


def test_a_refused_log_changes_nothing(run_folder: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in run_folder.iterdir()}
    log = write_log(tmp_path / "ppk2.csv", make_run())
    with pytest.raises(InputError, match="neither voltage"):
        add_meter_log(run_folder, log)
    log.write_text("nonsense")
    with pytest.raises(InputError):
        add_meter_log(run_folder, log, volts=5.1)
    assert {path.name: path.read_bytes() for path in run_folder.iterdir()} == before


def test_a_run_without_events_or_windows_is_refused(run_folder: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "ppk2.csv", make_run())
    events = [event for event in make_run().events if event["event"] != "window"]
    (run_folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    with pytest.raises(InputError, match="no energy window"):
        add_meter_log(run_folder, log, volts=5.1)
    (run_folder / "events.jsonl").write_text("{}\n[]\n")
    with pytest.raises(InputError, match=r"events\.jsonl`, line 1"):
        add_meter_log(run_folder, log, volts=5.1)
    (run_folder / "events.jsonl").unlink()
    with pytest.raises(InputError, match="cannot read"):
        add_meter_log(run_folder, log, volts=5.1)


def test_the_document_says_what_a_meter_sees() -> None:
    page = (Path(__file__).parents[3] / "docs/board.md").read_text(encoding="utf-8")
    assert f"| `meter` | {SOURCE.trust} | {SOURCE.boundary} |" in page.splitlines()
