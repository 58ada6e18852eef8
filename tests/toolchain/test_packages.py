"""What is missing is named with what installs it, not as an import error."""

from __future__ import annotations

import importlib.util

import pytest

from edgebin.errors import ToolchainError
from edgebin.toolchain.packages import TFLITE_WRITER, require_packages


def test_packages_that_are_there() -> None:
    require_packages(["numpy", "onnx"], "tflite")


def test_a_missing_package_comes_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolchainError, match="the `flatbuffers` package is not installed") as caught:
        require_packages(TFLITE_WRITER, "tflite")
    assert caught.value.hint == "pip install 'edgebin[tflite]'"
