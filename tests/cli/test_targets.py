"""`edgebin targets`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgebin.cli import app
from edgebin.resources import resource_dir

runner = CliRunner()


def test_list_as_json_names_every_shipped_target() -> None:
    result = runner.invoke(app, ["targets", "list", "--json"])
    assert result.exit_code == 0
    assert {target["id"] for target in json.loads(result.stdout)} == {
        path.stem for path in resource_dir("targets").glob("*.toml")
    }


def test_list_and_show_for_reading() -> None:
    listed = runner.invoke(app, ["targets", "list"])
    assert listed.exit_code == 0
    assert "Raspberry Pi 4B" in listed.stdout
    shown = runner.invoke(app, ["targets", "show", "pi4"])
    assert shown.exit_code == 0
    assert "cortex-a72" in shown.stdout
    assert shown.stdout.endswith("next: edgebin compile model.onnx -t pi4\n")


def test_an_unknown_target_is_named_with_the_nearest_known() -> None:
    result = runner.invoke(app, ["targets", "show", "rpi9"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: no target named `rpi9`\n\nhint: did you mean `rpi5`?")


def test_validate_names_every_mistake(tmp_path: Path) -> None:
    text = (resource_dir("targets") / "rpi4b.toml").read_text()
    good = tmp_path / "good.toml"
    good.write_text(text)
    result = runner.invoke(app, ["targets", "validate", str(good)])
    assert result.exit_code == 0, result.stderr
    bad = tmp_path / "bad.toml"
    bad.write_text(text.replace("cores = 4", "cores = 0").replace("page_size", "page_sise"))
    result = runner.invoke(app, ["targets", "validate", str(bad)])
    assert result.exit_code == 2
    for mistake in ("cores", "page_size", "page_sise"):
        assert mistake in result.stderr


@pytest.mark.parametrize("name", ["missing.toml", "rpi4b"])
def test_validate_takes_files_only(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(app, ["targets", "validate", name])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
