"""What holds for every command: exit codes, the form of errors, quick start, no traceback unasked."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import edgebin
from edgebin.cli import app
from edgebin.errors import BoardError, MeasurementInvalid, VerificationError
from edgebin.toolchain import doctor

# What takes a noticeable part of a second to import; none of it may be paid for by `--help`.
HEAVY = ("numpy", "onnx", "onnxruntime", "onnxscript", "pydantic", "rich", "safetensors", "torch", "tvm")

runner = CliRunner()


def test_version() -> None:
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"edgebin {edgebin.__version__}\n")


def test_no_command_shows_help() -> None:
    result = runner.invoke(app, [])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    assert result.stderr == ""


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from edgebin.cli import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_help_takes_less_than_400_ms() -> None:
    """Of processor time: the claim is about edgebin, not about what else the machine is doing."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "edgebin", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    assert min(seconds() for _ in range(5)) <= 0.4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["comple"], "error: no such command 'comple'. Did you mean 'compile'?\n\nhint: `edgebin --help` says"),
        (["--fast"], "error: no such option: --fast"),
        (["verify"], "error: missing argument 'X.ebz'"),
        (["compile", "m.onnx"], "error: missing option '-t' / '--target'"),
        (["compile", "m.onnx", "-t", "rpi5", "--batch", "0"], "error: invalid value for '--batch'"),
        (["targets", "fetch"], "error: nothing to fetch\n\nhint: "),
    ],
)
def test_usage_errors(words: list[str], message: str) -> None:
    result = runner.invoke(app, words, prog_name="edgebin")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (VerificationError("outputs differ", max_abs_diff=1.0, hint="compile again"), 3, "outputs differ\n\nhint: "),
        (BoardError("the runner died"), 5, "the runner died\n"),
        (MeasurementInvalid("the clock changed", flags=("clock",)), 7, "the clock changed\n"),
        (RuntimeError("odd"), 1, "unforeseen RuntimeError: odd\n\nhint: `edgebin -v …` shows where it happened\n"),
        (KeyboardInterrupt(), 130, None),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, shown: str | None) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(doctor, "examine", fail)
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code == code
    assert "Traceback" not in result.output
    if shown is not None:
        assert result.stderr.startswith(f"error: {shown}")


def test_verbose_shows_the_traceback() -> None:
    code = (
        "import edgebin.cli, edgebin.toolchain.doctor as doctor\n"
        "def fail(_): raise RuntimeError('odd')\n"
        "doctor.examine = fail\n"
        "edgebin.cli.app(['-v', 'doctor'], prog_name='edgebin')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "error: unforeseen RuntimeError: odd" in done.stderr


def test_python_dash_m() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgebin", "targets", "show", "rpi9"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: no target named `rpi9`\n\nhint: ")
