"""`edgebin models`."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from edgebin.cli import app

runner = CliRunner()


def test_list() -> None:
    listed = runner.invoke(app, ["models", "list"])
    assert listed.exit_code == 0
    assert "reactdeit-small " in listed.stdout
    models = {model["id"]: model for model in json.loads(runner.invoke(app, ["models", "list", "--json"]).stdout)}
    assert models["reactdeit-small"]["config"]["dims"] == [384]
    assert all(f"\n{name} " in listed.stdout for name in models)
