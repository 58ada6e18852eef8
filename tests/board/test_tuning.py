"""Settings made for a measurement are put back, however it ends: the keeper, and the agent that starts it.

On synthetic boards, natively and on the board's processor; nvpmodel, jetson_clocks and sudo are small programs on PATH.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgebin.targets import load_target
from tests.board.agents import FakedAgent
from tests.board.trees import TREES, Tree, text

# What nvpmodel does on a Jetson, as far as edgebin sees it: `-q`, `-m N`; mode 3 needs a restart and asks about it.
NVPMODEL = """#!/bin/sh
status="$ROOT/var/lib/nvpmodel/status"
echo "nvpmodel $*" >> "$ROOT/calls"
case "$1" in
-q) echo "NV Power Mode: SOME"; sed -n 's/pmode:0*\\([0-9]\\)/\\1/p' "$status" ;;
-m) if [ "$2" = 3 ]; then
      echo "NVPM WARN: Reboot required for changing to this power mode: 3"
      echo "NVPM WARN: DO YOU WANT TO REBOOT NOW? enter YES/yes to confirm:"
      if read answer; then touch "$ROOT/rebooted"; fi
      echo "NVPM ERROR: bad input!"
      exit 0
    fi
    if [ "$2" = 9 ]; then echo "NVPM ERROR: invalid PM_ID 9"; exit 255; fi
    sleep "${NVPMODEL_SECONDS:-0}"
    printf 'pmode:%04d\\n' "$2" > "$status" ;;
esac
"""
# jetson_clocks: `--store F` asks before it writes over F, `--restore F`, and without an option the highest clocks.
JETSON_CLOCKS = """#!/bin/sh
clock="$ROOT/sys/min_freq"; fan="$ROOT/sys/pwm-fan"
echo "jetson_clocks $*" >> "$ROOT/calls"
case "$1" in
--store) if [ -e "$2" ]; then echo "can I overwrite it?"; read answer || exit 1; fi
         echo "$clock:$(cat "$clock")" > "$2"; echo "$fan:$(date +%N)" >> "$2" ;;
--restore) sed -n "s|^$clock:||p" "$2" > "$clock" ;;
"") if [ -e "$ROOT/broken" ]; then echo "Error: Unknown GPU Type!"; exit 1; fi
    echo 1479000 > "$clock" ;;
esac
"""
# sudo -n: what it is asked to run gets what this user lacks.
SUDO = """#!/bin/sh
echo "sudo $*" >> "$ROOT/calls"
[ "$1" = -n ] || exit 3
[ -e "$ROOT/no-sudo" ] && { echo "sudo: a password is required" >&2; exit 1; }
chmod u+w "$ROOT"/sys/devices/system/cpu/cpufreq/*/scaling_governor
shift
exec "$@"
"""


@dataclass
class Setting:
    """A board, its programs, and a job of the agent on it."""

    tree: Tree
    command: Callable[..., list[str]]
    environment: dict[str, str]
    job: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def record(self) -> Path:
        return self.job / "tuning"

    def keep(self, *settings: str, **more: str) -> subprocess.Popen[str]:
        """The keeper itself; its standard input is the agent's end of life."""
        return self.start("keep", str(self.tree.root), str(self.record), *settings, **more)

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment | more,
        )
        self.started.append(process)
        return process

    def restore(self) -> subprocess.CompletedProcess[str]:
        """`agent restore JOB`."""
        command = self.command("restore", str(self.job), "--root", str(self.tree.root))
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)

    def governors(self) -> list[str]:
        return [policy.read_text().strip() for policy in self.tree.policies]

    @property
    def mode(self) -> str:
        return (self.tree.root / "var/lib/nvpmodel/status").read_text().strip()

    @property
    def clock(self) -> str:
        return (self.tree.root / "sys/min_freq").read_text().strip()

    @property
    def calls(self) -> list[str]:
        file = self.tree.root / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def left(self) -> list[str]:
        """What lies in the job's folder."""
        return sorted(path.name for path in self.job.iterdir())


@pytest.fixture(params=["native", "emulated"])
def setting(request: pytest.FixtureRequest, faked_agent: FakedAgent, tmp_path: Path) -> Iterator[Setting]:
    """A Xavier NX: three policies, nvpmodel in mode 2, jetson_clocks off."""
    tree = TREES["xavier-nx-jp5"](tmp_path / "root")
    text(tree.root / "sys/min_freq", "204000")
    programs = tmp_path / "bin"
    for name, content in (("nvpmodel", NVPMODEL), ("jetson_clocks", JETSON_CLOCKS), ("sudo", SUDO)):
        text(programs / name, content).chmod(0o755)
    target = load_target(tree.target) if request.param == "emulated" else None
    job = tmp_path / "jobs/one"
    job.mkdir(parents=True)
    made = Setting(
        tree,
        lambda *words: faked_agent.command(*words, target=target),
        {**os.environ, "ROOT": str(tree.root), "PATH": f"{programs}:{os.environ['PATH']}", "FAKE_MAILBOX": "/nowhere"},
        job,
    )
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> list[str]:
    """What the keeper says until all is set."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == "ready":
            return lines
    raise AssertionError(f"never ready: {lines}")


def finish(process: subprocess.Popen[str]) -> list[str]:
    """Ends its input, as the end of the agent does; what it says then."""
    said, errors = process.communicate(timeout=60)
    assert errors == ""
    return said.splitlines()


ALL = ("nvpmodel 0", "jetson-clocks", "governor performance")


def assert_untouched(setting: Setting) -> None:
    assert setting.governors() == ["schedutil"] * 3
    assert setting.mode in ("pmode:0002 fmode:quiet", "pmode:0002")
    assert setting.clock == "204000"
    assert setting.left() == []


def test_all_settings_are_made_and_put_back(setting: Setting) -> None:
    keeper = setting.keep(*ALL)
    said = ready(keeper)
    assert said[0] == "set\tnvpmodel\t2\t0"
    assert said[1] == "set\tjetson-clocks\toff\ton"
    assert said[2:5] == [f"set\tgovernor policy{n}\tschedutil\tperformance" for n in (0, 2, 4)]
    assert (setting.mode, setting.clock) == ("pmode:0000", "1479000")
    assert setting.governors() == ["performance"] * 3
    assert "tuning" in setting.left()
    said = finish(keeper)
    assert said == [
        *(f"restored\tgovernor policy{n}\tperformance\tschedutil" for n in (4, 2, 0)),
        "restored\tjetson-clocks\ton\toff",
        "restored\tnvpmodel\t0\t2",
        "done",
    ]
    assert keeper.returncode == 0
    assert_untouched(setting)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_keeper_restores(setting: Setting, number: signal.Signals) -> None:
    keeper = setting.keep("governor performance")
    ready(keeper)
    keeper.send_signal(number)
    assert keeper.wait(timeout=60) == 0
    assert_untouched(setting)


def test_a_killed_keeper_leaves_a_record_that_restore_undoes(setting: Setting) -> None:
    keeper = setting.keep(*ALL)
    ready(keeper)
    keeper.kill()
    keeper.wait()
    assert setting.governors() == ["performance"] * 3
    done = setting.restore()
    assert done.returncode == 0, done.stderr
    assert "governor policy4 was `performance`, is `schedutil`" in done.stderr
    assert_untouched(setting)
    assert setting.restore().returncode == 0, "there is nothing left to do"


def test_a_keeper_killed_in_the_midst_of_a_change_is_undone(setting: Setting) -> None:
    keeper = setting.keep("governor performance", "nvpmodel 0", NVPMODEL_SECONDS="600")
    while "nvpmodel -m 0" not in setting.calls:
        time.sleep(0.01)
    keeper.kill()
    keeper.wait()
    (sleeper,) = _children_of(setting, "sleep")
    os.kill(sleeper, signal.SIGKILL)
    assert setting.restore().returncode == 0
    assert_untouched(setting)


def _children_of(setting: Setting, name: str) -> list[int]:
    """Processes of this name whose environment is the board's."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (entry / "comm").read_text().strip() == name and os.fsencode(f"ROOT={setting.tree.root}") in (
                entry / "environ"
            ).read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def test_what_someone_else_has_changed_meanwhile_is_left_alone(setting: Setting) -> None:
    keeper = setting.keep(*ALL)
    ready(keeper)
    setting.tree.policies[1].write_text("powersave\n")
    text(setting.tree.root / "var/lib/nvpmodel/status", "pmode:0004")
    text(setting.tree.root / "sys/min_freq", "777000")
    said = finish(keeper)
    assert "restored\tgovernor policy2\tpowersave\tpowersave" in said
    assert "restored\tnvpmodel\t4\t4" in said
    assert "restored\tjetson-clocks\tchanged by someone else\tchanged by someone else" in said
    assert said[-1] == "done"
    assert setting.governors() == ["schedutil", "powersave", "schedutil"]
    assert (setting.mode, setting.clock) == ("pmode:0004", "777000")
    assert setting.left() == []


def test_what_someone_else_has_put_back_already_is_not_done_again(setting: Setting) -> None:
    keeper = setting.keep("jetson-clocks", "nvpmodel 0")
    ready(keeper)
    text(setting.tree.root / "sys/min_freq", "204000")
    text(setting.tree.root / "var/lib/nvpmodel/status", "pmode:0002")
    before = len(setting.calls)
    assert finish(keeper)[-1] == "done"
    assert [call.split()[1] for call in setting.calls[before:]] == ["--store"], "looked, and no more"
    assert_untouched(setting)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("governor fastest", "there is no governor `fastest`, only: conservative"),
        ("governor", "no name of a governor"),
        ("governor a b", "no name of a governor"),
        ("nvpmodel 3", "needs a restart"),
        ("nvpmodel 9", "nvpmodel 9 was refused: NVPM ERROR: invalid PM_ID 9"),
        ("nvpmodel -1", "no number of a power mode"),
        ("nvpmodel two", "no number of a power mode"),
        ("jetson-clocks now", "takes no value"),
        ("overclock 5000", "there is no setting `overclock 5000`"),
    ],
)
def test_a_setting_that_cannot_be_made_undoes_all(setting: Setting, wanted: str, problem: str) -> None:
    keeper = setting.keep("governor performance", "jetson-clocks", wanted)
    said = finish(keeper)
    assert keeper.returncode == 2
    failed = next(line for line in said if line.startswith("failed\t"))
    assert problem in failed
    assert_untouched(setting)
    assert not (setting.tree.root / "rebooted").exists()


def test_a_program_that_fails_half_way_undoes_all(setting: Setting) -> None:
    text(setting.tree.root / "broken", "")
    keeper = setting.keep("governor performance", "jetson-clocks")
    assert any("Unknown GPU Type" in line for line in finish(keeper))
    assert keeper.returncode == 2
    assert_untouched(setting)


def test_a_machine_without_such_settings(setting: Setting) -> None:
    shutil.rmtree(setting.tree.root / "sys/devices")
    assert "failed\tthis machine lets nobody choose a governor" in finish(setting.keep("governor performance"))
    assert setting.left() == []


def test_what_is_so_already_is_not_set(setting: Setting) -> None:
    keeper = setting.keep("nvpmodel 2", "governor schedutil")
    assert ready(keeper)[0] == "set\tnvpmodel\t2\t2"
    finish(keeper)
    assert setting.calls == []
    assert_untouched(setting)


def test_what_a_killed_job_left_is_undone_before_it_is_taken_for_what_was_there(setting: Setting) -> None:
    first = setting.keep("governor performance")
    ready(first)
    first.kill()
    first.wait()
    setting.job = setting.job.with_name("two")
    setting.job.mkdir()
    second = setting.keep("governor powersave")
    assert ready(second)[0] == "set\tgovernor policy0\tschedutil\tpowersave"
    assert not (setting.job.with_name("one") / "tuning").exists()
    finish(second)
    assert_untouched(setting)


def test_a_job_waits_for_the_keeper_of_the_one_before(setting: Setting) -> None:
    first = setting.keep("governor performance", "nvpmodel 0")
    ready(first)
    setting.job = setting.job.with_name("two")
    setting.job.mkdir()
    second = setting.keep("governor powersave")
    time.sleep(0.2)
    assert setting.governors() == ["performance"] * 3, "the second waits"
    finish(first)
    assert ready(second)[0] == "set\tgovernor policy0\tschedutil\tpowersave"
    finish(second)
    assert_untouched(setting)


def test_a_record_that_was_tampered_with_leads_nowhere_else(setting: Setting) -> None:
    outside = text(setting.tree.root / "outside/scaling_governor", "schedutil")
    text(setting.record, "governor ../../../outside\tpwned\tschedutil\nrm -rf\ta\tb\n\t\t\ngovernor policy0\tcut")
    done = setting.restore()
    assert done.returncode == 0, done.stderr
    assert outside.read_text() == "schedutil\n"
    assert_untouched(setting)
