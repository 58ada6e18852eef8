"""`edgebin meter` from the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.profile.schedule import make_run
from tests.profile.test_meter import run_folder, write_log

__all__ = ["run_folder"]


def edgebin(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgebin", "meter", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_energy_is_added_and_shown(run_folder: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "ppk2.csv", make_run())
    events = run_folder / "run.json"
    events.write_text(events.read_text().replace('"load", ', ""))
    done = edgebin(run_folder, log, "--volts", "5.1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["variant", "threads", "J/inference", "above", "idle", "mean", "W"]
    assert lines[1].split()[:2] == ["binary", "1"]
    assert "meter (trust A)" in done.stdout
    assert "fitted to when the board was busy and idle" in done.stdout


def test_a_run_that_is_not_to_be_trusted_says_so(run_folder: Path, tmp_path: Path) -> None:
    done = edgebin(run_folder, write_log(tmp_path / "ppk2.csv", make_run()), "--volts", "5.1")
    assert done.returncode == 7
    assert "error: the figures must not be trusted: load" in done.stderr


def test_a_log_that_is_not_understood_is_one_error(run_folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "notes.txt"
    log.write_text("Zeit;Leistung\n")
    done = edgebin(run_folder, log)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: `notes.txt` is no log of a power meter that is known")
    assert "Traceback" not in done.stderr
