"""`edgebin profile` as it is typed: options that exclude each other, exit codes, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgebin.profile import RunRecord
from tests.board.sshd import Sshd
from tests.road import edgebin

QUICK = ("--min-runs", "5", "--min-seconds", "0", "--warmup-seconds", "0", "--energy", "off", "--baseline", "none")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a bundle"),
        (("x.ebz", "--host", "a", "--hosts", "b.toml"), "--hosts for many"),
        (("x.ebz", "--resume", "run"), "name the run folder alone"),
        (("x.ebz", "--nvpmodel", "0"), "say --tune too"),
        (("x.ebz", "-T", "1,two"), "not a list of numbers"),
        (("x.ebz", "-T", "0"), "threads cannot be 0"),
        (("x.ebz", "-T", "1,1"), "threads cannot be 1, 1"),
        (("x.ebz", "-T", "2", "--pin-to", "1"), "2 threads on 1 processors"),
        (("x.ebz",), "cannot read `x.ebz`"),
        (("--resume", "no-such-run"), "no run folder"),
        (("x.ebz", "--hosts", "no-such.toml"), "cannot read `no-such.toml`"),
    ],
)
def test_unusable_words_are_one_clear_error(words: tuple[str, ...], said: str) -> None:
    result = edgebin("profile", *words)
    assert result.exit_code == 2, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_board_over_ssh(board: Sshd, compiled: Callable[[str], Path], tmp_path: Path) -> None:
    result = edgebin(
        *("profile", compiled("tvm"), "--host", "board", "-T", "1,2", "--no-pin", *QUICK, "--save", tmp_path / "run")
    )
    assert result.exit_code in (0, 7), result.stderr
    record = RunRecord.read(tmp_path / "run")
    assert (record.validity.ok, result.exit_code) in ((True, 0), (False, 7))
    assert f"kept in {tmp_path / 'run'}" in result.stderr
    assert "to board" in result.stderr
    assert edgebin("report", tmp_path / "run", "-o", tmp_path / "report.html").exit_code == 0


def test_a_fleet_is_shown_board_by_board(board: Sshd, compiled: Callable[[str], Path], tmp_path: Path) -> None:
    hosts = tmp_path / "boards.toml"
    hosts.write_text('[devices.one]\nhost = "board"\n[devices.two]\nhost = "nowhere"\n')
    words = ("profile", compiled("tvm"), "--hosts", hosts, "--no-pin", *QUICK, "--save", tmp_path / "fleet")
    result = edgebin(*words)
    assert result.exit_code == 5, result.stderr
    assert [line.split()[:1] for line in result.stdout.splitlines()[-3:]] == [["board"], ["one"], ["two"]]
    assert "one: connecting" in result.stderr
    assert sorted(path.name for path in (tmp_path / "fleet").iterdir()) == ["fleet.json", "one"]


def test_a_dry_run_needs_nobody(compiled: Callable[[str], Path], tmp_path: Path) -> None:
    result = edgebin("profile", compiled("tvm"), "--host", "board.invalid", "--dry-run", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "ssh board.invalid" in result.stdout
    assert "#   session 1 " in result.stdout
