"""Jobs of the agent put back the settings that they make: whether they end, fail, are stopped or killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from tests.board.agents import FakedAgent
from tests.board.trees import text
from tests.board.tuned_board import Setting, tuned_board

PATIENCE_S = 60


@pytest.fixture(params=["native", "emulated"])
def setting(request: pytest.FixtureRequest, faked_agent: FakedAgent, tmp_path: Path) -> Iterator[Setting]:
    target = load_target("jetson-xavier-nx") if request.param == "emulated" else None
    made = tuned_board(tmp_path, lambda *words: faked_agent.command(*words, target=target))
    yield made
    made.end()


def plan(setting: Setting, *commands: str, tune: tuple[str, ...] = ("nvpmodel 0", "governor performance")) -> Path:
    """Settings, then programs of the host, which the emulator passes on to its kernel."""
    lines = ["edgebin-plan 1", f"root {setting.tree.root}", "power none", "idle-seconds 0"]
    lines += [f"tune {item}" for item in tune]
    for number, command in enumerate(commands):
        lines += [f"command {number}", "arg /bin/sh", "arg -c", f"arg {command}"]
    return text(setting.job / "plan", "\n".join(lines))


def measure(setting: Setting) -> subprocess.Popen[str]:
    """In the foreground, as over a connection."""
    files = (str(setting.job / name) for name in ("plan", "events", "power"))
    return setting.start("measure", *files)


def events(setting: Setting) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (setting.job / "events").read_text().splitlines()]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def is_tuned(setting: Setting) -> bool:
    return setting.governors() == ["performance"] * 3 and setting.mode == "pmode:0000"


def running(setting: Setting) -> subprocess.Popen[str]:
    """A measurement that is in the midst of its work."""
    plan(setting, f"touch {setting.job}/working; exec sleep 600")
    process = measure(setting)
    wait_for((setting.job / "working").exists)
    assert is_tuned(setting)
    return process


def keeper_of(setting: Setting) -> int:
    """The process that holds the record."""
    record = setting.record.stat()
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if int(words[5].split(":")[2]) == record.st_ino and words[3] == "WRITE":
            return int(words[4])
    raise AssertionError("nobody holds the record")


def is_over(setting: Setting) -> bool:
    return not setting.record.exists()


def test_a_normal_end(setting: Setting) -> None:
    plan(setting, 'cat "$ROOT"/sys/devices/system/cpu/cpufreq/policy0/scaling_governor')
    process = measure(setting)
    assert process.wait(timeout=PATIENCE_S) == 0
    setting.assert_untouched()
    told = {event["event"]: event for event in events(setting)}
    assert told["output"]["stdout"].strip() == "performance"
    names = ["nvpmodel", "governor policy0", "governor policy2", "governor policy4"]
    made = [("2", "0"), *[("schedutil", "performance")] * 3]
    assert [setting["what"] for setting in told["tuned"]["settings"]] == names
    assert [(setting["before"], setting["after"]) for setting in told["tuned"]["settings"]] == made
    assert [setting["what"] for setting in told["restored"]["settings"]] == names[::-1]
    assert [(setting["after"], setting["before"]) for setting in told["restored"]["settings"]] == made[::-1]
    assert list(told)[-1] == "end"


def test_an_error(setting: Setting) -> None:
    lines = (plan(setting).read_text(), "session 1 -", "contender none", "arg /no/such/runner")
    text(setting.job / "plan", "\n".join(lines))
    process = measure(setting)
    assert process.wait(timeout=PATIENCE_S) != 0
    setting.assert_untouched()


def test_a_setting_that_cannot_be_made(setting: Setting) -> None:
    plan(setting, tune=("governor performance", "nvpmodel 3"))
    process = measure(setting)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "nvpmodel 3 needs a restart" in said
    setting.assert_untouched()
    assert events(setting)[-1]["event"] == "error"
    assert "tuned" not in [event["event"] for event in events(setting)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal(setting: Setting, number: signal.Signals) -> None:
    process = running(setting)
    process.send_signal(number)
    process.wait(timeout=PATIENCE_S)
    wait_for(lambda: is_over(setting))
    setting.assert_untouched()


def test_the_agent_is_killed(setting: Setting) -> None:
    process = running(setting)
    process.kill()
    wait_for(lambda: is_over(setting))
    setting.assert_untouched()


def test_the_agents_whole_group_is_killed(setting: Setting) -> None:
    """As a job's processes are when it does not stop: the keeper is in none of its groups."""
    process = running(setting)
    assert os.getpgid(keeper_of(setting)) != os.getpgid(process.pid)
    assert os.getsid(keeper_of(setting)) != os.getsid(process.pid)
    process.kill()
    wait_for(lambda: is_over(setting))
    setting.assert_untouched()


def test_agent_and_keeper_are_killed(setting: Setting) -> None:
    process = running(setting)
    os.kill(keeper_of(setting), signal.SIGKILL)
    process.kill()
    process.wait()
    assert is_tuned(setting)
    assert setting.restore().returncode == 0
    setting.assert_untouched()


def test_the_keeper_alone_is_killed(setting: Setting) -> None:
    plan(setting, f"touch {setting.job}/working; while [ ! -e {setting.job}/go ]; do sleep 0.01; done")
    process = measure(setting)
    wait_for((setting.job / "working").exists)
    os.kill(keeper_of(setting), signal.SIGKILL)
    (setting.job / "go").touch()
    assert process.wait(timeout=PATIENCE_S) == 0
    setting.assert_untouched()
    assert [event["event"] for event in events(setting)][-2:] == ["restored", "end"]


def test_a_detached_job_is_stopped(setting: Setting) -> None:
    plan(setting, f"touch {setting.job}/working; exec sleep 600")
    started = setting.start("start", str(setting.job))
    assert started.wait(timeout=PATIENCE_S) == 0
    wait_for((setting.job / "working").exists)
    stopped = setting.start("stop", str(setting.job))
    assert stopped.wait(timeout=2 * PATIENCE_S) == 0
    setting.assert_untouched()


def test_the_jobs_folder_is_removed_meanwhile(setting: Setting) -> None:
    plan(setting, f"touch {setting.tree.root}/working; exec sleep 600", tune=("governor performance",))
    process = measure(setting)
    wait_for((setting.tree.root / "working").exists)
    shutil.rmtree(setting.job)
    setting.job.mkdir()
    process.kill()
    wait_for(lambda: setting.governors() == ["schedutil"] * 3)


class TestThroughSudo:
    """A user who may do everything through sudo, and nothing without."""

    @pytest.fixture
    def setting(self, faked_agent: FakedAgent) -> Iterator[Setting]:
        if os.geteuid() == 0 and shutil.which("setpriv") is None:
            pytest.skip("no setpriv on this machine")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            agent = folder / "agent"
            shutil.copy2(faked_agent.program(host_arch()), agent)
            drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.geteuid() == 0 else []
            made = tuned_board(folder, lambda *words: [*drop, str(agent), *words])
            for policy in made.tree.policies:
                policy.chmod(0o444)
            if drop:
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, 65534, 65534, follow_symlinks=False)
            yield made
            made.end()

    def test_a_normal_end(self, setting: Setting) -> None:
        plan(setting)
        process = measure(setting)
        assert process.wait(timeout=PATIENCE_S) == 0, process.communicate()
        setting.assert_untouched()
        calls = [call for call in setting.calls if " keep " in call]
        assert len(calls) == 1
        assert calls[0].startswith("sudo -n /")
        assert any(call == "nvpmodel -m 0" for call in setting.calls)

    def test_the_agent_is_killed(self, setting: Setting) -> None:
        process = running(setting)
        process.kill()
        wait_for(lambda: is_over(setting))
        setting.assert_untouched()

    def test_a_password_is_asked_for(self, setting: Setting) -> None:
        text(setting.tree.root / "no-sudo", "")
        plan(setting)
        process = measure(setting)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 2
        assert "a password is required" in said
        setting.assert_untouched()

    def test_restore(self, setting: Setting) -> None:
        process = running(setting)
        os.kill(keeper_of(setting), signal.SIGKILL)
        process.kill()
        process.wait()
        for policy in setting.tree.policies:
            policy.chmod(0o444)
        done = setting.restore()
        assert done.returncode == 0, done.stderr
        assert "governor policy0 was `performance`, is `schedutil`" in done.stderr
        setting.assert_untouched()
