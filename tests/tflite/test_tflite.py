"""`edgebin.tflite`: what a user's program calls."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import edgebin.tflite
from edgebin.errors import InputError, ToolchainError
from edgebin.tflite import delegate, interpreter
from tests.tflite.lce import Conv, Values, conv_model


def test_a_file_runs_with_the_runtime_that_is_installed(tmp_path: Path) -> None:
    case = Conv(64, 32)
    path = tmp_path / "model.tflite"
    path.write_bytes(conv_model(case, Values.of(case)))
    made = interpreter(path)
    made.invoke()
    assert made.get_output_details()[0]["shape"].tolist() == [1, 5, 7, 32]


def test_a_runtime_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolchainError, match="no TFLite runtime is installed"):
        delegate()
    with pytest.raises(ToolchainError, match="ai_edge_litert is installed"):
        delegate(runtime="litert")


def test_another_runtime_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match="no such runtime: `tensorflow`"):
        delegate(runtime="tensorflow")  # type: ignore[arg-type]


def test_files_that_are_not_there_are_refused(tmp_path: Path, library: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        interpreter(tmp_path / "none.tflite", library=library)
    with pytest.raises(InputError, match="as a delegate"):
        delegate(tmp_path / "none.so")


def test_what_is_no_model_is_refused(library: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"TFL3 but not really")
    with pytest.raises(InputError, match=r"model\.tflite"):
        interpreter(path, library=library)


def test_boards_need_no_package_that_writes_models() -> None:
    source = Path(edgebin.tflite.__file__).read_text()
    top = [line for line in source.splitlines() if line.startswith(("import", "from"))]
    assert not [line for line in top if "backends" in line]
