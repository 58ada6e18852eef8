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
    assert models["reactdeit-small"]["figures"]["parameters"] == 22_294_900
    assert models["reactdeit-small"]["published"] is None
    assert models["bhvit-small"]["published"]["top1_percent"] == 68.4


def test_show() -> None:
    shown = runner.invoke(app, ["models", "show", "binaryvit-small"])
    assert shown.exit_code == 0
    for text in ("22,491,771", "69.87 M", "67.7 %", "not BinaryViT of Xiao et al."):
        assert text in shown.stdout
    assert shown.stdout.endswith("next: edgebin export checkpoint.pth --model binaryvit-small\n")
    document = json.loads(runner.invoke(app, ["models", "show", "bivit-swin-t", "--json"]).stdout)
    assert document["published"]["ops_g"] == round(document["figures"]["ops_with_norms"] / 1e9, 2)


def test_a_network_that_is_not_known() -> None:
    result = runner.invoke(app, ["models", "show", "si-bivit-small"])
    assert result.exit_code == 2
    assert "SI-BiViT (ACM MM 2024) is another system" in result.stderr
