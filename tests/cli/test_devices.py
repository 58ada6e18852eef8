"""`edgebin devices`, over a real sshd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgebin.cli import app
from edgebin.targets.host import host_arch
from tests.board.sshd import Sshd


@pytest.fixture(autouse=True)
def _own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEBIN_CONFIG_DIR", str(tmp_path / "config"))


def edgebin(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["devices", *words])
    assert done.exit_code == code, done.output
    return done.output


def test_from_add_to_remove() -> None:
    assert "devices add NAME --host pi@board" in edgebin("list")
    assert "next: edgebin devices check kitchen" in edgebin("add", "kitchen", "--host", "pi@10.0.0.7", "-t", "pi4")
    assert edgebin("list").splitlines()[1].split() == ["kitchen", "pi@10.0.0.7", "rpi4b"]
    assert json.loads(edgebin("list", "--json"))[0]["host"] == "pi@10.0.0.7"
    assert "removed  kitchen: pi@10.0.0.7" in edgebin("remove", "kitchen")
    assert json.loads(edgebin("list", "--json")) == []


def test_what_is_refused() -> None:
    assert "no target named `none`" in edgebin("add", "kitchen", "--host", "pi@b", "-t", "none", code=2)
    assert "is no name of a machine" in edgebin("add", "kitchen", "--host", "-oProxyCommand=x", code=2)
    assert "cannot be the name" in edgebin("add", "$(x)", "--host", "pi@b", code=2)
    assert "no device is called 'kitchen'" in edgebin("remove", "kitchen", code=2)
    assert json.loads(edgebin("list", "--json")) == []


def test_clean_says_what_it_removes(board: Sshd) -> None:
    edgebin("add", "kitchen", "--host", board.host)
    (board.board_folder / "bundles" / ("0" * 64)).mkdir(parents=True)
    said = edgebin("clean", "kitchen")
    assert f"{board.board_folder} on kitchen" in said
    assert "1 bundles, 0 jobs with results" in said
    assert list(board.home.rglob("*edgebin*")) == []


@pytest.mark.skipif(host_arch() != "x86_64", reason="takes this host for the board, an x86-64 one")
def test_check_looks_at_the_board(board: Sshd) -> None:
    edgebin("add", "kitchen", "--host", board.host, "-t", "x86-64")
    said = json.loads(edgebin("check", "kitchen", "--json"))
    assert (said["ok"], said["host"], said["target"]) == (True, "kitchen", "x86-64")
    assert said["board"]["machine"] == "x86_64"
    edgebin("add", "other", "--host", board.host, "-t", "rpi5")
    assert "rpi5" in edgebin("check", "other", code=6)
    assert "no device is called 'none'" in edgebin("check", "none", code=2)


def test_a_board_that_is_not_there(board: Sshd) -> None:
    edgebin("add", "attic", "--host", board.nowhere)
    said = edgebin("clean", "attic", code=5)
    assert "cannot reach nowhere" in said
    assert "no SSH server listens there" in said
