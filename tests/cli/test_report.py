"""`edgebin report`: forms by name, one clear error for what cannot be read or written, nothing half-written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgebin.cli import app
from tests.report.builder import estimated_record, invalid_record, measured_record, write_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    write_run(folder / "pi5", measured_record((1, 2)), rounds=2)
    write_run(folder / "pi4", estimated_record())
    write_run(folder / "hot", invalid_record(), rounds=2)
    return folder


def report(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, words)])


@pytest.mark.parametrize(
    ("name", "begin"), [("r.html", "<!DOCTYPE html>"), ("r.md", "| machine |"), ("r.json", "["), ("R.CSV", "bundle,")]
)
def test_the_name_says_the_form(runs: Path, tmp_path: Path, name: str, begin: str) -> None:
    file = tmp_path / name
    result = report(runs / "pi5", runs / "pi4", "-o", file)
    assert (result.exit_code, result.stderr) == (0, "")
    text = file.read_text(encoding="utf-8").lstrip()
    assert text.startswith(begin)
    assert result.stdout.startswith(f"wrote  {file} (")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "runs"])


def test_without_a_file_it_is_a_table_on_screen(runs: Path) -> None:
    result = report(runs / "pi5")
    assert result.exit_code == 0
    assert "energy, total" in result.stdout
    assert "0.125 J" in result.stdout
    assert "[0.124, 0.127]" in result.stdout


def test_json_is_a_list_of_records(runs: Path) -> None:
    data = json.loads(report(runs / "pi5", runs / "hot" / "run.json", "--format", "json").stdout)
    assert data == [json.loads((runs / name / "run.json").read_text()) for name in ("pi5", "hot")]


def test_csv_has_hosts_threads_and_energies(runs: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(report(runs / "pi5", runs / "pi4", "--format", "csv").stdout)))
    assert len(rows) == 8
    assert {(row["host"], row["threads"], row["energy_kind"]) for row in rows} == {
        ("pi5", "1", "measured"),
        ("pi5", "2", "measured"),
        ("", "1", "estimate"),
    }
    for row in rows:
        measured = row["energy_kind"] == "measured"
        assert bool(row["total_j_per_inference"]) == measured
        assert bool(row["total_low_j_per_inference"]) != measured
        assert row["power_trust"] == ("C" if measured else "E")


def test_markdown_of_an_estimate_shows_a_range(runs: Path) -> None:
    text = report(runs / "pi4", "--format", "md").stdout
    (line,) = [line for line in text.splitlines() if line.startswith("| binary |")]
    assert "| ~92.3 ms (est. −24…+18 %) | – | ~13.2× (est.) | ~0.21–0.34 J (est.) | – |" in line


def test_a_file_is_replaced(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")
    assert report(runs / "pi5", "-o", file).exit_code == 0
    assert "old" not in file.read_text()[:10]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "no run at `nowhere`"),
        (["RUNS"], "has no run.json"),
        (["RUNS/pi5", "-o", "report.pdf"], "what form `report.pdf` has to have is not in its name"),
        (["RUNS/pi5", "-o", "RUNS/no/folder/report.md"], "No such file or directory"),
        (["RUNS/pi5", "-o", "RUNS/x.md", "--format", "table"], "the table is for the screen"),
        (["RUNS/pi5", "--open"], "nothing to open"),
        (["RUNS/pi5", "RUNS/torn", "-o", "RUNS/x.html"], "run.json` is not JSON"),
    ],
)
def test_one_clear_error_and_no_file(runs: Path, words: list[str], message: str) -> None:
    write_run(runs / "torn", invalid_record(), rounds=1)
    (runs / "torn" / "run.json").write_text('{"schema_version": 3,')
    before = sorted(runs.rglob("*"))
    result = report(*(word.replace("RUNS", str(runs)) for word in words))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(runs.rglob("*")) == before
