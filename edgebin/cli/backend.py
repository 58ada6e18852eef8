"""The `--backend` of commands."""

from __future__ import annotations

from enum import StrEnum


class BackendChoice(StrEnum):
    """Whose format the model is written in."""

    tvm = "tvm"
    ort = "ort"
    tflite = "tflite"
