"""`edgebin doctor` on machines that lack things."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgebin.cli import app
from edgebin.targets.host import host_arch
from edgebin.toolchain.doctor import examine
from tests.board.sshd import Sshd

runner = CliRunner()


def test_every_missing_thing_comes_with_its_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path / "cache"))
    checks = {check.name: check for check in examine(["scalar"])}
    for name in ("QEMU", "QEMU plugins", "gcc for ARM", "TVM runtime for ARM", "onnxruntime for ARM", "arm64 userland"):
        assert not checks[name].ok
        assert not checks[name].required
        assert checks[name].fix
        assert checks[name].needed_for
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code == 0, "optional things only"
    assert "fix: apt-get install qemu-user" in result.stdout


def test_a_tvm_ffi_that_crashes_tvm_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain `pip install apache-tvm` brings it, and nothing else would say so before the segmentation fault."""
    installed = importlib.metadata.version

    def version(name: str) -> str:
        return "0.1.15.post2" if name == "apache-tvm-ffi" else installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    check = next(check for check in examine(["scalar"]) if check.name == "apache-tvm-ffi")
    assert check.found == "0.1.15.post2"
    assert not check.ok
    assert check.problem is not None
    assert "must be 0.1.14.post1" in check.problem


def test_a_missing_core_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.metadata.version

    def version(name: str) -> str:
        if name == "onnx":
            raise importlib.metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    result = runner.invoke(app, ["doctor", "--json"])
    assert result.exit_code == 4
    report = json.loads(result.stdout)
    assert report["ok"] is False
    assert [check["name"] for check in report["checks"] if check["required"] and not check["ok"]] == ["onnx"]


def test_a_board_over_ssh(board: Sshd) -> None:
    result = runner.invoke(app, ["doctor", "--host", "board", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert {"machine", "userland", "memory", "disk", "governor", "tuning"} <= {
        check["name"] for check in report["checks"]
    }
    assert report["board"]["page_bytes"] == os.sysconf("SC_PAGE_SIZE")
    shown = runner.invoke(app, ["doctor", "--host", "board"])
    assert "ok       machine" in shown.stdout


def test_a_board_of_the_wrong_kind(board: Sshd) -> None:
    other = "x86-64" if host_arch() == "aarch64" else "rpi5"
    result = runner.invoke(app, ["doctor", "--host", "board", "-t", other])
    assert result.exit_code == 6
    assert "PROBLEM  machine" in result.stdout
    assert "fix: compile for this machine" in result.stdout


def test_a_board_that_is_not_there(board: Sshd) -> None:
    result = runner.invoke(app, ["doctor", "--host", board.nowhere])
    assert result.exit_code == 5
    assert result.stdout == ""


def test_what_to_check_needs_a_host(tmp_path: Path) -> None:
    for words in (["-t", "rpi5"], [str(tmp_path / "x.ebz")], ["--host", "local", "-t", "rpi5", "x.ebz"]):
        result = runner.invoke(app, ["doctor", *words])
        assert result.exit_code == 2
