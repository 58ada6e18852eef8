"""The commands of the road on a small network: what they write, what they say, and how they refuse bad input."""

from __future__ import annotations

import json
import pickle
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from edgebin.board import local
from edgebin.kernels.shape import CallShape
from tests.road import edgebin, succeed

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 and runs the result")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    path = tmp_path / "in.npz"
    np.savez(path, pixel_values=np.random.default_rng(0).standard_normal((3, 3, 16, 16), dtype=np.float32))
    return path


def test_export_says_what_it_verified(road: Path, tmp_path: Path) -> None:
    result = succeed("export", road / "net.safetensors", "-o", tmp_path / "out")
    assert "verified  PyTorch against stock onnxruntime: logits differ by" in result.stdout
    assert result.stdout.endswith(f"next: edgebin compile {tmp_path / 'out'} -t rpi4b\n")
    assert {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()} == {
        "model.onnx",
        "manifest.json",
        "golden/inputs.npz",
        "golden/outputs.npz",
    }


def test_run_gives_what_stock_onnxruntime_gives(road: Path, images: Path, tmp_path: Path) -> None:
    succeed("run", road / "net-x86-64.ebz", "--input", images, "--output", tmp_path / "out.npz")
    session = onnxruntime.InferenceSession(road / "net.export/model.onnx", providers=["CPUExecutionProvider"])
    (expected,) = session.run(["logits"], {"pixel_values": np.load(images)["pixel_values"]})
    np.testing.assert_allclose(np.load(tmp_path / "out.npz")["logits"], expected, rtol=1e-4, atol=1e-4)


def test_verify(road: Path) -> None:
    assert "verified" in succeed("verify", road / "net-x86-64.ebz").stdout
    report = json.loads(succeed("verify", "--json", road / "net-x86-64.ebz").stdout)
    assert report["passed"] is True
    assert report["rows"] >= 1


def test_inspect(road: Path) -> None:
    for file in (road / "net.export", road / "net.export/model.onnx"):
        shown = succeed("inspect", file).stdout
        assert "stem: pixels are not binary" in shown
        assert "BinaryLinear" in shown
    counted = json.loads(succeed("inspect", "--json", road / "net.export").stdout)
    # Query, key, value, output and the two layers of the MLP.
    assert counted["binary_weights"] == 4 * 64 * 64 + 2 * 64 * 128
    bundle = json.loads(succeed("inspect", "--json", road / "net-x86-64.ebz").stdout)
    assert bundle["target"]["id"] == "x86-64"
    assert "b1_attention" in succeed("inspect", road / "net-x86-64.ebz").stdout


def test_compile_tunes_on_this_host(road: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "tuned.ebz"
    shown = succeed("compile", road / "net.export", "-t", "x86-64", "--tune", "local", "-o", bundle).stdout
    assert shown.startswith("operation ")
    assert "chosen    by measurement on " in shown
    manifest = json.loads(succeed("inspect", "--json", bundle).stdout)
    tuning = manifest["tuning"]
    for choice in tuning["choices"]:
        assert choice["variant"] == min(choice["best_ns"], key=choice["best_ns"].get)
        assert len(choice["best_ns"]) > 1
    chosen = {(CallShape(c["op"], c["epilogue"], tuple(c["dims"])).kernel, c["variant"]) for c in tuning["choices"]}
    ours = [part for part in manifest["operations"] if "variant" in part]
    called = {(part["kind"].replace("f32_matmul", "f32_gemm"), part["variant"]) for part in ours}
    assert called == chosen
    assert f"chosen by measurement on {tuning['machine']}, {tuning['date']}" in succeed("inspect", bundle).stdout
    assert "chosen by model" in succeed("inspect", road / "net-x86-64.ebz").stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("-t", "rpi4b", "--tune", "local"), 6, "this host is x86_64, rpi4b is aarch64"),
        (("-t", "x86-64", "--tune", "-oProxyCommand=reboot"), 2, "is no name of a machine"),
        (("-t", "x86-64", "--tune", ""), 2, "is no name of a machine"),
    ],
)
def test_compile_refuses_to_tune(road: Path, tmp_path: Path, words: tuple[str, ...], code: int, message: str) -> None:
    said = refused(code, "compile", road / "net.export", *words, "-o", tmp_path / "no.ebz")
    assert message in said
    assert "hint: " in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--lce-only",), "`--lce-only` is for backend tflite, not for tvm"),
        (("--backend", "ort", "--full-precision"), "`--full-precision` is for backend tvm or tflite, not for ort"),
        (("--backend", "tflite", "--lce-only", "--full-precision"), "exclude each other"),
        (("--backend", "tflite", "--lce-only", "--tune", "local"), "`--tune` has nothing to choose with `--lce-only`"),
        (("--backend", "tensorrt"), "tensorrt"),
    ],
)
def test_compile_refuses_options_that_do_not_belong_together(
    road: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    said = refused(2, "compile", road / "net.export", "-t", "x86-64", *words, "-o", tmp_path / "no.ebz")
    assert message in said
    assert "hint: " in said
    assert not list(tmp_path.iterdir())


def test_compile_says_what_the_runtime_needs(road: Path, tmp_path: Path) -> None:
    words = ("--backend", "tflite", "--no-verify", "-o", tmp_path / "net.ebz")
    shown = succeed("compile", road / "net.export", "-t", "jetson-nano", *words).stdout
    assert "glibc 2.34 or newer; with 2.27, which jetson-nano may have, its runner does not start" in shown


@pytest.mark.parametrize("backend", ["tvm", "tflite"])
def test_compile_says_that_a_twin_has_random_weights(road: Path, tmp_path: Path, backend: str) -> None:
    words = ("--backend", backend, "--full-precision", "-o", tmp_path / "net.ebz")
    assert "random" in succeed("compile", road / "net.export", "-t", "x86-64", *words).stdout


@pytest.mark.parametrize("backend", ["ort", "tflite"])
def test_the_printed_lines_run_what_was_unpacked(
    compiled: Callable[[str], Path], images: Path, tmp_path: Path, backend: str
) -> None:
    """A user pastes them into a program that knows nothing of edgebin."""
    lines = succeed("unpack", compiled(backend), "-o", tmp_path / "net").stdout
    assert "edgebin" not in lines.replace("libedgebin_", "").replace(str(tmp_path), "")
    given = {"pixel_values": np.load(images)["pixel_values"][:1]}
    exec(lines, given)
    succeed("run", compiled("tvm"), "--input", images, "--output", tmp_path / "out.npz")
    np.testing.assert_allclose(given["logits"], np.load(tmp_path / "out.npz")["logits"][:1], rtol=1e-4, atol=1e-4)


def test_unpack_gives_the_command_line_of_the_runner(
    compiled: Callable[[str], Path], images: Path, tmp_path: Path
) -> None:
    line = succeed("unpack", compiled("tvm"), "-o", tmp_path / "net").stdout
    words = line.replace("IN.npz", str(images)).replace("OUT.npz", str(tmp_path / "out.npz")).split()
    subprocess.run(words, check=True, capture_output=True)
    assert np.load(tmp_path / "out.npz")["logits"].shape == (3, 10)
    assert "exists already" in refused(2, "unpack", compiled("tvm"), "-o", tmp_path / "net")


def refused(code: int, *words: str | Path) -> str:
    """What a command says on stderr when it refuses."""
    result = edgebin(*words)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "error: " in result.stderr
    return result.stderr


def test_missing_files(tmp_path: Path, images: Path) -> None:
    bundle = tmp_path / "missing.ebz"
    for words in (
        ("export", tmp_path / "missing.pth", "-o", tmp_path / "out"),
        ("compile", tmp_path / "missing", "-t", "x86-64", "-o", tmp_path / "out"),
        ("run", bundle, "-i", images, "-o", tmp_path / "out"),
        ("verify", bundle),
        ("profile", bundle),
        ("inspect", bundle),
        ("inspect", tmp_path / "missing.onnx"),
    ):
        assert "missing" in refused(2, *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.npz"]


class _Evil:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('code of a checkpoint was run')",)


def test_export_refuses_damaged_and_dangerous_checkpoints(road: Path, tmp_path: Path) -> None:
    truncated = tmp_path / "truncated.safetensors"
    truncated.write_bytes((road / "net.safetensors").read_bytes()[:1000])
    evil = tmp_path / "evil.pth"
    evil.write_bytes(pickle.dumps(_Evil()))
    torch_evil = tmp_path / "torch-evil.pth"
    torch.save({"model": _Evil()}, torch_evil)
    for checkpoint in (truncated, evil, torch_evil):
        assert checkpoint.name in refused(2, "export", checkpoint, "-o", tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_export_names_the_models_it_knows(road: Path, tmp_path: Path) -> None:
    message = refused(2, "export", road / "net.safetensors", "--model", "resnet50", "-o", tmp_path / "out")
    assert "resnet50" in message
    assert "reactdeit-small" in message


def test_compile_refuses_an_unknown_target(road: Path, tmp_path: Path) -> None:
    message = refused(2, "compile", road / "net.export", "-t", "rpi9", "-o", tmp_path / "out.ebz")
    assert message.startswith("error: no target named `rpi9`\n\nhint: did you mean `rpi5`?")


def test_compile_refuses_what_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    refused(2, "compile", tmp_path, "-t", "x86-64", "-o", tmp_path / "out.ebz")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_compile_without_a_compiler(road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    message = refused(
        4, "compile", road / "net.export", "-t", "x86-64", "--compiler", "gcc", "-o", tmp_path / "out.ebz"
    )
    assert "`gcc` is not installed\n\nhint: " in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [0.001, 0.5, 0.999])
def test_a_damaged_bundle_is_never_run(road: Path, tmp_path: Path, images: Path, place: float) -> None:
    content = bytearray((road / "net-x86-64.ebz").read_bytes())
    content[int(len(content) * place)] ^= 0x10
    damaged = tmp_path / "damaged.ebz"
    damaged.write_bytes(content)
    refused(2, "verify", damaged)
    refused(2, "run", damaged, "-i", images, "-o", tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("pixel_values", np.zeros((1, 3, 8, 8), np.float32)),
        ("pixel_values", np.zeros((1, 3, 16, 16), np.float64)),
        ("images", np.zeros((1, 3, 16, 16), np.float32)),
    ],
)
def test_run_refuses_other_inputs(road: Path, tmp_path: Path, name: str, array: np.ndarray) -> None:  # type: ignore[type-arg]
    np.savez(tmp_path / "bad.npz", **{name: array})
    bundle = road / "net-x86-64.ebz"
    message = refused(2, "run", bundle, "-i", tmp_path / "bad.npz", "-o", tmp_path / "out.npz")
    assert "pixel_values" in message
    assert [path.name for path in tmp_path.iterdir()] == ["bad.npz"]


def test_a_bundle_for_another_processor(road: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "host_features", frozenset)
    message = refused(6, "verify", road / "net-x86-64.ebz")
    assert "which this host lacks\n\nhint: compile it again" in message


@pytest.mark.slow
def test_an_arm_bundle_runs_as_the_x86_one(
    road: Path, tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("qemu-aarch64 is not installed")
    arm = tmp_path / "net-rpi4b.ebz"
    assert "on QEMU (cortex-a72)" in succeed("compile", road / "net.export", "-t", "rpi4b", "-o", arm).stdout
    for bundle, name in ((arm, "arm.npz"), (road / "net-x86-64.ebz", "x86.npz")):
        succeed("run", bundle, "-i", images, "-o", tmp_path / name)
    answers = [np.load(tmp_path / name)["logits"] for name in ("arm.npz", "x86.npz")]
    np.testing.assert_allclose(*answers, rtol=1e-5, atol=1e-5)
    # The runner needs no PATH, the emulator does.
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "qemu" in refused(4, "verify", arm)
