"""The keeper of settings puts everything back, whatever end it comes to: here and on the board's processor."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgebin.targets import load_target
from tests.board.agents import FakedAgent
from tests.board.trees import text
from tests.board.tuned_board import Setting, tuned_board


@pytest.fixture(params=["native", "emulated"])
def setting(request: pytest.FixtureRequest, faked_agent: FakedAgent, tmp_path: Path) -> Iterator[Setting]:
    target = load_target("jetson-xavier-nx") if request.param == "emulated" else None
    made = tuned_board(tmp_path, lambda *words: faked_agent.command(*words, target=target))
    yield made
    made.end()


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
    setting.assert_untouched()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_keeper_restores(setting: Setting, number: signal.Signals) -> None:
    keeper = setting.keep("governor performance")
    ready(keeper)
    keeper.send_signal(number)
    assert keeper.wait(timeout=60) == 0
    setting.assert_untouched()


def test_a_killed_keeper_leaves_a_record_that_restore_undoes(setting: Setting) -> None:
    keeper = setting.keep(*ALL)
    ready(keeper)
    keeper.kill()
    keeper.wait()
    assert setting.governors() == ["performance"] * 3
    done = setting.restore()
    assert done.returncode == 0, done.stderr
    assert "governor policy4 was `performance`, is `schedutil`" in done.stderr
    setting.assert_untouched()
    assert setting.restore().returncode == 0, "there is nothing left to do"


def test_a_keeper_killed_in_the_midst_of_a_change_is_undone(setting: Setting) -> None:
    keeper = setting.keep("governor performance", "nvpmodel 0", NVPMODEL_SECONDS="600")
    while not (sleepers := _children_of(setting, "sleep")):
        time.sleep(0.01)
    keeper.kill()
    keeper.wait()
    (sleeper,) = sleepers
    os.kill(sleeper, signal.SIGKILL)  # nvpmodel itself is gone already, and sets nothing afterwards
    assert setting.restore().returncode == 0
    setting.assert_untouched()


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
    setting.assert_untouched()


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
    setting.assert_untouched()
    assert not (setting.tree.root / "rebooted").exists()


def test_clocks_are_put_back_even_if_nobody_can_say_what_they_are(setting: Setting) -> None:
    keeper = setting.keep("jetson-clocks")
    ready(keeper)
    text(setting.tree.root / "mute", "")
    finish(keeper)
    setting.assert_untouched()


@pytest.mark.parametrize("what", ["jetson-clocks", "nvpmodel 0"])
def test_what_cannot_be_put_back_now_stays_on_record(setting: Setting, what: str) -> None:
    keeper = setting.keep("governor performance", what)
    ready(keeper)
    status = setting.tree.root / "var/lib/nvpmodel/status"
    text(setting.tree.root / "stuck", "")
    status.rename(status.with_name("hidden"))
    said = finish(keeper)
    assert keeper.returncode == 2
    assert any(line.startswith("failed\tcannot put back: ") for line in said)
    assert said[-1].startswith("restored\tgovernor policy0")
    assert setting.governors() == ["schedutil"] * 3, "the others are"
    assert "tuning" in setting.left()
    refused = setting.restore()
    assert refused.returncode == 2
    assert "settings could not be put back: cannot put back" in refused.stderr
    (setting.tree.root / "stuck").unlink()
    status.with_name("hidden").rename(status)
    assert setting.restore().returncode == 0
    setting.assert_untouched()


def test_a_policy_that_is_gone_is_none_of_our_business(setting: Setting) -> None:
    keeper = setting.keep("governor performance")
    ready(keeper)
    shutil.rmtree(setting.tree.policies[2].parent)
    assert finish(keeper) == [
        "restored\tgovernor policy4\tgone\tgone",
        "restored\tgovernor policy2\tperformance\tschedutil",
        "restored\tgovernor policy0\tperformance\tschedutil",
        "done",
    ]


def test_a_program_that_fails_half_way_undoes_all(setting: Setting) -> None:
    text(setting.tree.root / "broken", "")
    keeper = setting.keep("governor performance", "jetson-clocks")
    assert any("Unknown GPU Type" in line for line in finish(keeper))
    assert keeper.returncode == 2
    setting.assert_untouched()


def test_a_machine_without_such_settings(setting: Setting) -> None:
    shutil.rmtree(setting.tree.root / "sys/devices")
    assert "failed\tthis machine lets nobody choose a governor" in finish(setting.keep("governor performance"))
    assert setting.left() == []


def test_what_is_so_already_is_not_set(setting: Setting) -> None:
    keeper = setting.keep("nvpmodel 2", "governor schedutil")
    assert ready(keeper)[0] == "set\tnvpmodel\t2\t2"
    finish(keeper)
    assert setting.calls == []
    setting.assert_untouched()


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
    setting.assert_untouched()


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
    setting.assert_untouched()


def test_a_record_that_was_tampered_with_leads_nowhere_else(setting: Setting) -> None:
    outside = text(setting.tree.root / "outside/scaling_governor", "schedutil")
    text(setting.record, "governor ../../../outside\tpwned\tschedutil\nrm -rf\ta\tb\n\t\t\ngovernor policy0\tcut")
    done = setting.restore()
    assert done.returncode == 0, done.stderr
    assert outside.read_text() == "schedutil\n"
    setting.assert_untouched()
