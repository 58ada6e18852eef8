"""`edgebin meter` from the command line."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from edgebin.cli import app
from tests.profile.energy.test_meter import run_folder, write_log
from tests.profile.schedule import make_run

__all__ = ["run_folder"]


def edgebin(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    done = CliRunner().invoke(app, ["meter", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def test_energy_is_added_and_shown(run_folder: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "ppk2.csv", make_run())
    events = run_folder / "run.json"
    events.write_text(events.read_text().replace('"load", ', ""))
    code, out, err = edgebin(run_folder, log, "--volts", "5.1")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].split() == ["variant", "threads", "J/inference", "above", "idle", "mean", "W"]
    assert lines[1].split()[:2] == ["binary", "1"]
    assert "meter (trust A)" in out
    assert "fitted to when the board was busy and idle" in out


def test_a_run_that_is_not_to_be_trusted_says_so(run_folder: Path, tmp_path: Path) -> None:
    code, _, err = edgebin(run_folder, write_log(tmp_path / "ppk2.csv", make_run()), "--volts", "5.1")
    assert code == 7
    assert "error: the figures must not be trusted: load" in err


def test_a_log_that_is_not_understood_is_one_error(run_folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "notes.txt"
    log.write_text("Zeit;Leistung\n")
    code, out, err = edgebin(run_folder, log)
    assert (code, out) == (2, "")
    assert err.startswith("error: `notes.txt` is no log of a power meter that is known")
    assert "Traceback" not in err
