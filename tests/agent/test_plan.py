"""Plans are read strictly: what the agent does not understand, it does not do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.board.agent import agent_command

PROGRAM = "session 1 -\ncontender a\narg true"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "PLAN` is empty"),
        ("edgebin-plan 2\n", "PLAN:1: not a plan of this version, `edgebin-plan 1`: `edgebin-plan 2`"),
        ("edgebin-plan 1\n# so\n\nmin-rums 4\n", "PLAN:4: unknown line: `min-rums 4`"),
        ("edgebin-plan 1\nmin-runs 0\n", "PLAN:2: too small: `0`"),
        ("edgebin-plan 1\nmin-runs 1.5\n", "PLAN:2: not a whole number: `1.5`"),
        ("edgebin-plan 1\nmin-runs 99999999999999999999\n", "PLAN:2: not a whole number: `99999999999999999999`"),
        ("edgebin-plan 1\nmin-seconds -1\n", "PLAN:2: not a number: `-1`"),
        ("edgebin-plan 1\nmin-seconds inf\n", "PLAN:2: not a number: `inf`"),
        ("edgebin-plan 1\nmin-seconds\n", "PLAN:2: not a number: ``"),
        ("edgebin-plan 1\nsession 0 -\n", "PLAN:2: too small: `0`"),
        ("edgebin-plan 1\nsession 1\n", "PLAN:2: a session has threads and cores: `1`"),
        ("edgebin-plan 1\nsession 1 1,,2\n", "PLAN:2: not a whole number: ``"),
        ("edgebin-plan 1\nsession 1 1024\n", "PLAN:2: not cores: `1024`"),
        ("edgebin-plan 1\nsession 1 -\n", "PLAN: a session without contenders"),
        ("edgebin-plan 1\nsession 1 -\ncontender a\n", "PLAN: `a` has no program"),
        ("edgebin-plan 1\ncontender a\n", "PLAN:2: before the first session: `contender a`"),
        ("edgebin-plan 1\nsession 1 -\narg x\n", "PLAN:3: before the first contender: `arg x`"),
        ("edgebin-plan 1\nsession 1 -\ncontender \n", "PLAN:3: without a name: ``"),
        ("edgebin-plan 1\n" + PROGRAM + "\nenv x\n", "PLAN:5: not NAME=VALUE: `env x`"),
        ("edgebin-plan 1\ncommand c\n", "PLAN: `c` has no program"),
        ("edgebin-plan 1\n" + "tune nvpmodel 0\n" * 17, "PLAN:18: too many settings: `tune nvpmodel 0`"),
        ("edgebin-plan 1\nroot /a\0b\n", "PLAN:2: a zero in the line: `root /a`"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_understood_is_named(text: str, message: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    plan.write_text(text)
    command = [*agent_command(), "measure", str(plan), str(tmp_path / "events"), str(tmp_path / "power")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = message.replace("PLAN", str(plan))
    assert (done.returncode, done.stderr) == (2, f"error: {'`' if message.startswith('PLAN`') else ''}{expected}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "which command? docs/board.md has them"),
        (["mesure"], "unknown command `mesure`"),
        (["measure", "plan"], "usage: agent measure PLAN EVENTS POWER"),
        (["measure", "/no/plan", "e", "p"], "cannot read `/no/plan`: No such file or directory"),
        (["start"], "usage: agent start JOB"),
        (["start", "/no/job"], "there is no job `/no/job`: No such file or directory"),
        (["stop", "/no/job"], "there is no job `/no/job`: No such file or directory"),
        (["follow", "/no/job", "0", "1"], "there is no job `/no/job`: No such file or directory"),
        (["follow", "/no/job", "x", "1"], "OFFSET: not a whole number: `x`"),
        (["sample", "--root", "/"], "usage: agent sample SECONDS --power SOURCE [--power-hz N] [--root DIR]"),
        (["sample", "-3", "--power", "x"], "SECONDS: not such a number: `-3`"),
        (["inspect", "--rot", "/"], "unknown option `--rot`"),
        (["inspect", "--root"], "`--root` needs a value"),
    ],
)
def test_a_call_that_is_not_understood(words: list[str], message: str, tmp_path: Path) -> None:
    done = subprocess.run([*agent_command(), *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\n")
    assert not list(tmp_path.iterdir())
