"""The agent's protocol: what is timed, in which order, and what it says of it."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
from pathlib import Path
from statistics import median

import pytest

from tests.board.agent import agent_command, contender, is_gone, measure, of_kind, plan_text, read_events
from tests.board.trees import text

MS = 1_000_000
CORES = ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76")


def is_steady(samples: list[int]) -> bool:
    """What docs/board.md says of `settled`, over again."""
    last, before = samples[-10:], samples[-20:-10]
    return len(samples) >= 20 and abs(median(last) - median(before)) < 0.02 * median(before)


def test_turns_rotate_take_150_ms_and_leave_out_their_first_inference(tmp_path: Path) -> None:
    done, events = measure(
        tmp_path,
        *("warmup-seconds 0.1", "min-runs 40", "session 1 -"),
        *(contender("slow", str(30 * MS)), contender("fast", str(10 * MS))),
    )
    assert done.returncode == 0, done.stderr
    assert [event["event"] for event in events] == [
        *("begin", "session", "started", "started", "first", "first", "chosen", "warmup", "warmup", "clock"),
        *(["round"] * 16),
        *("clock", "memory", "memory", "end"),
    ]
    rounds = of_kind(events, "round")
    assert [event["contender"] for event in rounds] == [0, 1, 1, 0] * 4
    assert [event["round"] for event in rounds] == [i // 2 for i in range(16)]
    for event in rounds:  # talker.py makes the first of each turn ten times as long
        assert event["samples_ns"] == ([30 * MS] * 5 if event["contender"] == 0 else [10 * MS] * 15)
    assert [event["samples_ns"] for event in of_kind(events, "first")] == [[30 * MS], [10 * MS]]


def test_all_is_done_at_least_so_often_and_so_long(tmp_path: Path) -> None:
    lines = ("warmup-seconds 0.1", "session 1 -", contender("a", str(10 * MS)), contender("b", str(50 * MS)))
    _, by_runs = measure(tmp_path, "min-runs 31", *lines)
    (tmp_path / "events").unlink()
    _, by_time = measure(tmp_path, "min-seconds 0.7", *lines)

    def timed(events: list[dict[str, object]], number: int) -> list[int]:
        rounds = [event["samples_ns"] for event in of_kind(events, "round") if event["contender"] == number]
        return [ns for samples in rounds for ns in samples]

    assert [len(timed(by_runs, number)) for number in (0, 1)] == [15 * 11, 3 * 11]
    assert [sum(timed(by_time, number)) for number in (0, 1)] == [750 * MS, 750 * MS]
    assert set(timed(by_time, 0)) == {10 * MS}


@pytest.mark.parametrize("seed", range(4))
def test_warm_up_ends_as_soon_as_times_are_steady(seed: int, tmp_path: Path) -> None:
    generator = random.Random(seed)
    falling = [int(MS * (1 + 2 * 0.97**i) * generator.uniform(0.97, 1.03)) for i in range(1000)]
    words = ",".join(map(str, falling))
    _, events = measure(tmp_path, "warmup-seconds 0.05", "session 1 -", contender("a", words))
    (warmup,) = of_kind(events, "warmup")
    samples = warmup["samples_ns"]
    assert warmup["settled"]
    assert is_steady(samples)
    assert sum(samples) >= 50 * MS
    assert samples == falling[1 : 1 + len(samples)]
    asked = 1
    while asked < len(samples):  # request by request: it was not over yet
        assert not is_steady(samples[:asked]) or sum(samples[:asked]) < 50 * MS
        asked += max(1, min(10, int(50 * MS / samples[asked - 1] / 20)))
    assert asked == len(samples)


def test_warm_up_that_never_settles_ends_at_ten_times_its_length(tmp_path: Path) -> None:
    growing = ",".join(str(int(MS * 1.01**i)) for i in range(400))
    _, events = measure(tmp_path, "warmup-seconds 0.02", "session 1 -", contender("a", growing))
    (warmup,) = of_kind(events, "warmup")
    assert not warmup["settled"]
    assert 200 * MS <= sum(warmup["samples_ns"]) < 400 * MS


def test_the_quickest_of_one_name_is_kept(tmp_path: Path) -> None:
    _, events = measure(
        tmp_path,
        "session 1 -",
        contender("fp32", str(5 * MS)),
        contender("binary", str(3 * MS)),
        contender("fp32", str(4 * MS)),
        contender("fp32", str(4 * MS), "die", "-1"),
        contender("fp32", str(1 * MS), "die", "1"),
    )
    assert [event["contender"] for event in of_kind(events, "trial")] == [0, 2]
    assert [set(event["samples_ns"]) for event in of_kind(events, "trial")] == [{5 * MS}, {4 * MS}]
    failed = of_kind(events, "failed")
    assert [(event["contender"], event["exit"]) for event in failed] == [(3, 3), (4, 3)]
    assert failed[0]["message"] == "ended with 3\nno such thing as luck"
    assert of_kind(events, "chosen")[0]["contenders"] == [2, 1]
    assert {event["contender"] for event in of_kind(events, "round")} == {1, 2}
    slower = next(event for event in of_kind(events, "started") if event["contender"] == 0)
    assert is_gone(slower["hello"]["pid"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["die", "-1"], "`a` ended with 3\nno such thing as luck"),
        (["die", "2"], "`a` ended with 3\nno such thing as luck"),
        (["babble", "-1"], "`a` answered `Segmentation fault (not really)`"),
        (["babble", "2"], "`a` answered `Segmentation fault (not really)`"),
        (["short", "2"], "`a` did not answer with "),
        (["shut", "2"], "`a` closed its output"),
        (["flood", "2"], "`a` answered without end"),
    ],
)
def test_a_contender_that_goes_wrong_ends_the_job(words: list[str], message: str, tmp_path: Path) -> None:
    done, events = measure(
        tmp_path,
        "session 1 -",
        contender("good", str(MS)),
        contender("a", str(MS), *words),
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {message}")
    assert events[-1]["event"] == "error"
    assert events[-1]["message"].startswith(message)
    assert all(is_gone(event["hello"]["pid"]) for event in of_kind(events, "started"))


def test_a_contender_whose_clock_stands_still_ends_the_job(tmp_path: Path) -> None:
    _, events = measure(tmp_path, "session 1 -", contender("a", "0"))
    assert events[-1]["message"] == "`a` answered with no time at all"


@pytest.mark.parametrize(("request_number", "timeout_s"), [("-1", "0.1"), ("1", "2")])
def test_a_contender_that_hangs_ends_the_job(request_number: str, timeout_s: str, tmp_path: Path) -> None:
    """Before it has ever answered it is given ten times as long."""
    mute = contender("a", str(MS), "mute", request_number)
    done, events = measure(tmp_path, f"timeout-seconds {timeout_s}", "session 1 -", mute)
    assert done.returncode == 1
    assert events[-1]["message"] == f"`a` did not answer within {'1' if request_number == '-1' else '2'} s"
    assert all(is_gone(event["hello"]["pid"]) for event in of_kind(events, "started"))


@pytest.mark.parametrize(
    ("cores", "program", "message"),
    [
        ("-", "/no/such/program", "`a` cannot start: /no/such/program: No such file or directory"),
        ("1023", "/bin/true", "`a` cannot use its cores: /bin/true: Invalid argument"),
        ("-", "/bin/true", "`a` ended with 0"),
    ],
)
def test_a_contender_that_does_not_start_ends_the_job(cores: str, program: str, message: str, tmp_path: Path) -> None:
    done, events = measure(tmp_path, f"session 1 {cores}", contender("a", program=[program]))
    assert done.returncode == 1
    assert [event["event"] for event in events] == ["begin", "session", "failed", "error"]
    assert events[-1]["message"] == message


def test_windows_are_full_and_idle_stretches_stand_round_them(tmp_path: Path) -> None:
    done, events = measure(
        tmp_path,
        *("idle-seconds 0.05", "energy-windows 3", "energy-seconds 0.05", "energy-min-runs 7", "session 1 -"),
        contender("quick", str(1 * MS), "spin"),
        contender("slow", str(20 * MS), "spin"),
    )
    assert done.returncode == 0, done.stderr
    after_rounds = events[max(i for i, event in enumerate(events) if event["event"] == "round") + 1 :]
    window = ["clock", "window"]
    assert [event["event"] for event in after_rounds] == ["clock", "idle", *window * 6, "idle", *["memory"] * 2, "end"]
    windows = of_kind(events, "window")
    assert [(event["window"], event["contender"]) for event in windows] == [
        *((0, 0), (0, 1)),
        *((1, 1), (1, 0)),
        *((2, 0), (2, 1)),
    ]
    for event in windows:
        spent_ns, one_ns = event["end_ns"] - event["begin_ns"], (1 * MS, 20 * MS)[event["contender"]]
        assert spent_ns >= max(50 * MS, event["runs"] * one_ns)
        assert event["runs"] >= 7
    stretches = sorted((event["begin_ns"], event["end_ns"]) for event in [*windows, *of_kind(events, "idle")])
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(stretches))
    for event in of_kind(events, "idle"):
        assert event["end_ns"] - event["begin_ns"] >= 50 * MS
    assert (stretches[0], stretches[-1]) == tuple((e["begin_ns"], e["end_ns"]) for e in of_kind(events, "idle"))


@pytest.mark.parametrize("core", [None, "cortex-a57"])
def test_power_is_sampled_through_windows_and_idle_stretches(core: str | None, tmp_path: Path) -> None:
    if core is not None and shutil.which("qemu-aarch64") is None:
        pytest.skip("no qemu-aarch64 on this machine")
    chip = tmp_path / "root" / "sys" / "bus" / "i2c" / "drivers" / "ina3221x" / "6-0040" / "iio:device0"
    for number, (label, mw) in enumerate((("POM_5V_IN", 5000), ("POM_5V_GPU", 250), ("POM_5V_CPU", 3000))):
        text(chip / f"rail_name_{number}", label)
        text(chip / f"in_power{number}_input", str(mw))
        text(chip / f"in_voltage{number}_input", "5000")
        text(chip / f"in_current{number}_input", str(mw // 5))
    done, events = measure(
        tmp_path,
        *(f"root {tmp_path / 'root'}", "power ina3221", "power-hz 200", "idle-seconds 0.1", "energy-seconds 0.1"),
        *("session 1 -", contender("a", str(5 * MS), "spin")),
        *("session 1 -", contender("a", str(5 * MS), "spin")),
        core=core,
    )
    assert done.returncode == 0, done.stderr
    samples = read_events((tmp_path / "power").read_bytes())
    assert {tuple(sample["w"]) for sample in samples} == {(5.0, 0.25, 3.0)}
    times = [sample["t_ns"] for sample in samples]
    assert times == sorted(set(times))
    sampler = events[-1]["sampler"]
    assert sampler["samples"] == len(samples)
    stretches = [*of_kind(events, "window"), *of_kind(events, "idle")]
    assert len(stretches) == 2 * (2 + 2)
    for stretch in stretches:
        inside = [ns for ns in times if stretch["begin_ns"] <= ns <= stretch["end_ns"]]
        assert inside, "nothing was sampled in a window"
        assert min(times) < stretch["begin_ns"] < stretch["end_ns"] < max(times)
    assert sampler["wall_ns"] >= sum(stretch["end_ns"] - stretch["begin_ns"] for stretch in stretches)
    # Nothing is sampled while latency is measured.
    for event in of_kind(events, "round"):
        assert not [ns for ns in times if event["begin_ns"] <= ns <= event["end_ns"]]


def test_without_a_source_of_power_or_a_meter_no_energy_is_measured(tmp_path: Path) -> None:
    _, events = measure(tmp_path, "energy-windows 5", "session 1 -", contender("a", str(MS)))
    assert not of_kind(events, "window")
    assert not of_kind(events, "idle")
    assert not (tmp_path / "power").exists()


def test_contenders_are_on_the_cores_of_their_session(tmp_path: Path) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    _, events = measure(
        tmp_path,
        *(f"session 1 {allowed[-1]}", contender("a", str(MS))),
        *("session 1 -", contender("a", str(MS))),
        *(f"session 2 {','.join(map(str, allowed[:2]))}", contender("a", str(MS))),
    )
    started = of_kind(events, "started")
    assert [event["session"] for event in started] == [0, 1, 2]
    assert [event["hello"]["cores"] for event in started] == [allowed[-1:], allowed, allowed[:2]]
    assert {event["cpu"] for event in of_kind(events, "clock") if event["session"] == 0} == {allowed[-1]}
    assert [event["cores"] for event in of_kind(events, "session")] == [allowed[-1:], [], allowed[:2]]


def test_environment_is_added_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "yes")
    monkeypatch.setenv("REPLACED", "no")
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    _, events = measure(tmp_path, "command c", "arg env", "env REPLACED=a b=c", "env ADDED=")
    found = of_kind(events, "output")[0]["stdout"].splitlines()
    names = ("KEPT=", "REPLACED=", "ADDED=", "ORT_DISABLE_TELEMETRY=")
    ours = sorted(line for line in found if line.startswith(names))
    assert ours == ["ADDED=", "KEPT=yes", "ORT_DISABLE_TELEMETRY=1", "REPLACED=a b=c"]


def test_output_of_commands_is_kept_whatever_it_is(tmp_path: Path) -> None:
    script = r"""printf 'a\0b\377\303\251"\n'; printf 'oh\n' >&2; exit 4"""
    many = "head -c 3000000 /dev/zero | tr '\\0' x"
    done, events = measure(
        tmp_path,
        *("command odd", "arg sh", "arg -c", f"arg {script}"),
        *("command none", "arg /no/such"),
        *("command many", "arg sh", "arg -c", f"arg {many}"),
        *("command killed", "arg sh", "arg -c", "arg kill -9 $$"),
    )
    assert done.returncode == 0, done.stderr
    odd, none, many_, killed = of_kind(events, "output")
    assert odd == {
        "event": "output", "name": "odd", "exit": 4, "stdout": 'a\x00b\ufffdé"\n', "stderr": "oh\n"
    }  # fmt: skip
    assert (none["exit"], none["stderr"]) == (None, "cannot start: /no/such: No such file or directory")
    assert many_["stdout"] == "x" * 3_000_000
    assert killed["exit"] == 128 + 9


def test_a_plan_without_sessions(tmp_path: Path) -> None:
    done, events = measure(tmp_path)
    assert done.returncode == 0
    assert [event["event"] for event in events] == ["begin", "end"]
    assert events[0]["agent"] == 1
    assert events[1]["monotonic_ns"] > events[0]["monotonic_ns"]
    assert events[1]["sampler"] == {"samples": 0, "cpu_ns": 0, "late": 0, "wall_ns": 0}


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "plan").write_text(plan_text("session 1 -", contender("a", str(MS))))
    command = [*agent_command(), "measure", str(tmp_path / "plan"), "/dev/full", str(tmp_path / "power")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: cannot write `/dev/full`: No space left on device\n"


@pytest.mark.parametrize("core", CORES)
def test_the_same_on_every_emulated_core(core: str, tmp_path: Path) -> None:
    """The agent is emulated, its contenders are programs of this host."""
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("no qemu-aarch64 on this machine")
    done, events = measure(
        tmp_path,
        *("idle-seconds 0.01", "min-runs 3", "session 1 -"),
        contender("a", str(20 * MS)),
        contender("b", str(5 * MS), "die", "-1"),
        contender("b", str(10 * MS)),
        *("command c", "arg echo", "arg x"),
        core=core,
    )
    assert done.returncode == 0, done.stderr
    assert of_kind(events, "failed")[0]["message"] == "ended with 3\nno such thing as luck"
    assert {event["contender"] for event in of_kind(events, "round")} == {0, 2}
    assert [event["contender"] for event in of_kind(events, "window")] == [0, 2, 2, 0]
    assert all(event["hz"] > 0 for event in of_kind(events, "clock"))
    assert of_kind(events, "output")[0]["stdout"] == "x\n"
    assert all(is_gone(event["hello"]["pid"]) for event in of_kind(events, "started"))


def test_an_answer_may_hold_a_million_times(tmp_path: Path) -> None:
    """As of a window of energy of a tiny network; read in the square of its length this would not end for minutes."""
    done, events = measure(
        tmp_path,
        *("idle-seconds 0.01", "energy-windows 1", "energy-min-runs 1000000", "session 1 -"),
        contender("a", "1000"),
    )
    assert done.returncode == 0, done.stderr
    (window,) = of_kind(events, "window")
    assert window["runs"] == 1_000_000
