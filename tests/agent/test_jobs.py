"""The life of a job on a board: it runs by itself, is followed, stopped, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.board.agent import (
    agent_command,
    contender,
    is_gone,
    of_kind,
    plan_text,
    read_events,
    wait_for,
)

MS = 1_000_000
Job = Callable[..., Path]

# Runs until it is stopped, and writes events all the time.
LONG = ("min-seconds 1000", "warmup-seconds 0", "session 1 -", contender("a", str(2 * MS), "spin"))
SHORT = ("min-seconds 0", "session 1 -", contender("a", str(2 * MS)))


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """Makes job folders, and ends what runs there."""
    made = []

    def make(name: str, *lines: str | list[str]) -> Path:
        folder = tmp_path / "edgebin" / "jobs" / name
        folder.mkdir(parents=True)
        (folder / "plan").write_text(plan_text(*lines))
        made.append(folder)
        return folder

    yield make
    for folder in made:
        call("stop", folder)


def call(*words: object, core: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [*agent_command(core), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def start(job: Path, core: str | None = None) -> int:
    done = call("start", job, core=core)
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["pid"])


def contender_pids(job: Path) -> list[int]:
    events = job / "events"
    return [event["hello"]["pid"] for event in of_kind(whole(events), "started")] if events.exists() else []


def whole(events: Path) -> list[dict[str, object]]:
    """The events so far; the last line may be on its way."""
    data = events.read_bytes()
    return read_events(data[: data.rfind(b"\n") + 1])


@pytest.mark.parametrize("core", [None, "cortex-a53"])
def test_a_job_runs_by_itself_and_is_followed_to_its_end(job: Job, core: str | None) -> None:
    folder = job("one", *SHORT)
    pid = start(folder, core)
    followed = call("follow", folder, 0, 60, core=core)
    assert (followed.returncode, followed.stderr) == (0, "")
    events = read_events(followed.stdout.encode())
    assert events == read_events((folder / "events").read_bytes())
    assert events[-1]["event"] == "end"
    assert is_gone(pid)
    assert int((folder / "exit").read_text()) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["events", "exit", "pid", "plan", "stderr"]
    assert (folder / "stderr").read_text() == ""


def test_every_event_comes_once_whatever_becomes_of_the_follower(job: Job) -> None:
    folder = job("one", *LONG)
    start(folder)
    received, offset = b"", 0
    for _ in range(3):
        process = subprocess.Popen(
            [*agent_command(), "follow", str(folder), str(offset), "1000"], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(4):  # lines of it, then the connection is lost
            line = process.stdout.readline()
            received += line
            offset += len(line)
        process.kill()
        process.wait()
        process.stdout.close()
    assert call("stop", folder).returncode == 0
    rest = call("follow", folder, offset, 1000)
    assert rest.returncode == 0
    assert received + rest.stdout.encode() == (folder / "events").read_bytes()


def test_following_ends_when_its_time_is_over(job: Job) -> None:
    folder = job("one", *LONG)
    pid = start(folder)
    followed = call("follow", folder, 0, 0.3)
    assert followed.returncode == 0
    read_events(followed.stdout.encode())
    assert not is_gone(pid)
    assert call("follow", folder, 0, 0).returncode == 0


def test_half_a_line_is_not_passed_on(job: Job) -> None:
    folder = job("one", *SHORT)
    start(folder)
    call("follow", folder, 0, 60)
    before = (folder / "events").read_bytes()
    (folder / "events").write_bytes(before + b'{"event":"ro')
    assert call("follow", folder, 0, 1).stdout.encode() == before


def test_stop_ends_the_job_and_nothing_else(job: Job) -> None:
    folder = job("one", *LONG)
    pid = start(folder)
    other = subprocess.Popen(["sleep", "1000"])
    wait_for(lambda: contender_pids(folder))
    (child,) = contender_pids(folder)
    assert call("stop", folder).returncode == 0
    assert is_gone(pid)
    assert is_gone(child)
    assert int((folder / "exit").read_text()) == 128 + signal.SIGTERM
    last = whole(folder / "events")[-1]
    assert (last["event"], last["message"]) == ("error", "ended by signal 15 (Terminated)")
    assert other.poll() is None
    assert call("stop", folder).returncode == 0
    other.kill()
    other.wait()


def test_stop_ends_a_job_that_is_halted(job: Job) -> None:
    folder = job("one", *LONG)
    pid = start(folder)
    wait_for(lambda: contender_pids(folder))
    os.kill(pid, signal.SIGSTOP)
    assert call("stop", folder).returncode == 0
    assert is_gone(pid)
    assert int((folder / "exit").read_text()) == 128 + signal.SIGTERM  # in good order


def test_stop_leaves_a_process_alone_that_has_the_number_of_an_old_job(job: Job) -> None:
    folder = job("one", *SHORT)
    start(folder)
    call("follow", folder, 0, 60)
    other = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    _, ticks, boot = (folder / "pid").read_text().split()
    own_ticks = start_ticks(other.pid)
    for text in (f"{other.pid} {ticks} {boot}\n", f"{other.pid} {own_ticks} another-boot\n"):
        (folder / "pid").write_text(text)
        # It leads a session, as a job would: what is left of such a group may be a killed job's.
        for _ in ("finished", "killed"):
            assert call("stop", folder).returncode == 0
            assert other.poll() is None
            (folder / "exit").unlink(missing_ok=True)
    (folder / "pid").write_text(f"{other.pid} {own_ticks} {boot}\n")
    assert call("stop", folder).returncode == 0  # the very process: it is ended, so the above can fail
    assert other.wait(timeout=60) == -signal.SIGTERM


def start_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


@pytest.mark.parametrize("core", [None, "cortex-a53"])
def test_a_killed_job_leaves_no_child(job: Job, core: str | None) -> None:
    """Not even one that does not look at its standard input."""
    folder = job("one", "session 1 -", contender("a", str(MS), "mute", "1"))
    pid = start(folder, core)
    wait_for(lambda: contender_pids(folder))
    (child,) = contender_pids(folder)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_gone(pid) and is_gone(child))
    followed = call("follow", folder, 0, 60)
    assert (followed.returncode, followed.stderr) == (1, "error: the job has been killed, or the board was restarted\n")
    assert not (folder / "exit").exists()
    assert start(job("two", *SHORT)) != pid  # and the board is free


def test_a_board_does_one_job_at_a_time(job: Job) -> None:
    first, second = job("first", *LONG), job("second", *SHORT)
    start(first)
    refused = call("start", second)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr == "error: the board is busy: job `first` is running\n"
    assert sorted(path.name for path in second.iterdir()) == ["plan"]
    call("stop", first)
    start(second)
    assert call("follow", second, 0, 60).returncode == 0


def test_starting_again_is_no_second_start(job: Job) -> None:
    folder = job("one", *SHORT)
    pid = start(folder)
    assert start(folder) == pid
    call("follow", folder, 0, 60)
    events = (folder / "events").read_bytes()
    assert start(folder) == pid
    assert (folder / "events").read_bytes() == events


def test_a_plan_that_cannot_be_read_starts_nothing(job: Job) -> None:
    folder = job("one", "nonsense")
    refused = call("start", folder)
    assert refused.returncode == 2
    assert "unknown line: `nonsense`" in refused.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["plan"]


def test_a_job_that_fails_says_so_in_all_places(job: Job) -> None:
    folder = job("one", "session 1 -", contender("a", str(MS), "die", "1"))
    start(folder)
    followed = call("follow", folder, 0, 60)
    assert followed.returncode == 0
    assert read_events(followed.stdout.encode())[-1]["message"] == "`a` ended with 3\nno such thing as luck"
    assert int((folder / "exit").read_text()) == 1
    assert (folder / "stderr").read_text() == "error: `a` ended with 3\nno such thing as luck\n"


def test_a_file_that_may_not_grow_ends_the_job_and_its_last_line_is_whole(job: Job) -> None:
    folder = job("one", *LONG)
    command = ["sh", "-c", 'ulimit -f 12; exec "$@"', "sh", *agent_command(), "start", str(folder)]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    followed = call("follow", folder, 0, 60)
    assert followed.returncode == 0
    assert int((folder / "exit").read_text()) == 1
    events = (folder / "events").read_bytes()
    assert followed.stdout.encode() == events
    assert of_kind(read_events(events), "round")
    assert not of_kind(read_events(events), "error")
    reason = (folder / "stderr").read_text()
    assert reason.startswith(f"error: cannot write `{folder / 'events'}`: ")
    assert all(is_gone(pid) for pid in contender_pids(folder))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_measurement_in_order(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "plan").write_text(plan_text(*LONG))
    words = ["measure", *(str(tmp_path / name) for name in ("plan", "events", "power"))]
    process = subprocess.Popen([*agent_command(), *words], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: contender_pids(tmp_path))
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert stderr.startswith(f"error: ended by signal {int(number)} (")
    assert all(is_gone(pid) for pid in contender_pids(tmp_path))
    assert whole(tmp_path / "events")[-1]["event"] == "error"


def test_a_job_lets_go_of_what_started_it(job: Job) -> None:
    """An SSH server waits until nobody holds the streams of what it has run."""
    folder = job("one", *LONG)
    process = subprocess.Popen(
        [*agent_command(), "start", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE
    )
    out, err = process.communicate(timeout=60)  # to the end of both streams
    pid = json.loads(out)["pid"]
    assert (err, is_gone(pid)) == (b"", False)
    assert os.getsid(pid) == os.getpgid(pid) == pid


def test_contenders_hold_no_file_of_the_job(job: Job) -> None:
    folder = job("one", "min-seconds 1000", "session 1 -", contender("a", str(2 * MS), "spin"), contender("b", str(MS)))
    start(folder)
    wait_for(lambda: len(contender_pids(folder)) == 2)
    for pid in contender_pids(folder):
        names = sorted(int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir())
        assert names == [0, 1, 2]
    with (folder.parents[1] / "lock").open("a") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_stopped_start_starts_nothing(job: Job) -> None:
    """Killed before the job's process is written down: nobody would know of it."""
    folder = job("one", *LONG)
    (folder / ".pid").mkdir()  # where `start` cannot write then
    failed = call("start", folder)
    assert failed.returncode == 1
    time.sleep(0.1)
    assert not (folder / "events").exists()
    (folder / ".pid").rmdir()
    start(folder)
