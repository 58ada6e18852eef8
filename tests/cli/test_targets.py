"""`edgebin targets`."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgebin.cli import app
from edgebin.kernels.shape import CallShape
from edgebin.profile import probe
from edgebin.resources import resource_dir
from tests.road import edgebin, succeed

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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name one machine"),
        (("local", "--qemu", "rpi4b"), "name one machine"),
        (("--qemu", "rpi4b", "--save", "x.toml"), "an emulated processor has no figures to save"),
        (("--qemu", "rpi4b", "-t", "rpi4b"), "`--qemu` names the target already"),
        (("--qemu", "nonesuch"), "no target named `nonesuch`"),
        (("local", "--save", "x.json"), "`x.json` is not a .toml file"),
        (("pi@board",), "which board is `pi@board`?"),
        (("--", "-oProxyCommand=reboot"), "which board is `-oProxyCommand=reboot`?"),
        (("-t", "rpi4b", "--", "-oProxyCommand=reboot"), "'-oProxyCommand=reboot' is no name of a machine"),
    ],
)
def test_probe_refuses(words: tuple[str, ...], message: str) -> None:
    result = edgebin("targets", "probe", *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {message}")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="probes this host as an x86-64 machine")
def test_probe_prints_figures_and_saves_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SHAPES", (CallShape("b1_gemm", "f32", (5, 70, 40)),))
    saved = tmp_path / "own.toml"
    shown = succeed("targets", "probe", "local", "--save", saved).stdout
    assert shown.startswith("machine  this host: ")
    assert "\nclock    " in shown
    assert "copy, GB/s" in shown
    assert "MAC per cycle" in shown
    assert shown.endswith(f"wrote  {saved}\n\nnext: edgebin compile model.onnx -t {saved}\n")
    assert "x86-64-tuned" in succeed("targets", "validate", saved).stdout


@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no qemu-aarch64 on this machine")
def test_probe_under_qemu_prints_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SHAPES", (CallShape("b1_gemm", "f32", (5, 70, 40)),))
    shown = succeed("targets", "probe", "--qemu", "rpi5").stdout
    assert "neondot" in shown
    assert shown.endswith("an emulator takes as long as it takes, the board has its own speed.\n")
    for word in ("GHz", "per cycle", "GB/s", "us "):
        assert word not in shown
    kernels = json.loads(succeed("targets", "probe", "--qemu", "rpi5", "--json").stdout)["kernels"]
    assert {kernel["best_ns"] for kernel in kernels} == {None}


def test_fetch_takes_the_runtimes_of_all_backends() -> None:
    words = [word for backend in ("tvm", "ort", "tflite") for word in ("--backend", backend)]
    shown = succeed("targets", "fetch", "rpi4b", *words).stdout.splitlines()
    assert [line.split(": ", 1)[1].split()[0] for line in shown] == ["TVM", "onnxruntime", "LiteRT"]


def test_fetch_of_nothing_says_what_there_is() -> None:
    result = edgebin("targets", "fetch")
    assert result.exit_code == 2
    assert "hint: name a target" in result.stderr


def test_fetch_makes_the_userland_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from edgebin.toolchain import userland

    made: list[str] = []
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(userland, "unpack_debian_packages", lambda packages, root, say: made.append("packages"))
    monkeypatch.setattr(userland, "unpack_wheels", lambda wheels, site, say: made.append("wheels"))
    for _ in range(2):
        result = runner.invoke(app, ["targets", "fetch", "--userland"])
        assert result.exit_code == 0
        assert "onnxruntime 1.31.1" in result.stdout
    assert made == ["packages", "wheels"]


def test_userland_that_cannot_be_made_is_one_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from edgebin.toolchain import debian

    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(debian.shutil, "which", lambda _: None)
    result = runner.invoke(app, ["targets", "fetch", "--userland"])
    assert result.exit_code == 4
    assert result.stderr.startswith("error: an arm64 userland is made of Debian packages, and this system has no apt")
    assert "Traceback" not in result.stderr
