"""Reads ONNX files that a user names."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from edgebin.errors import InputError

_FILE_IN_FOLDER = "model.onnx"


def model_file(path: Path) -> Path:
    """The ONNX file that is meant: `path` itself, or the one in the export folder `path`."""
    return path / _FILE_IN_FOLDER if path.is_dir() else path


def load_model(path: Path) -> onnx.ModelProto:
    """The model in an ONNX file or export folder.

    Raises:
        InputError: there is no such file, or it holds no ONNX model.
    """
    file = model_file(path)
    try:
        model = onnx.load(file, format="protobuf")
    except OSError as error:
        raise InputError(f"cannot read `{file}`: {error.strerror or error}", hint="check the path") from error
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise InputError(f"`{file}` is not an ONNX model", hint="`edgebin export` makes one") from error
    if not model.graph.node or not model.graph.output:
        raise InputError(f"`{file}` holds no graph", hint="`edgebin export` makes an ONNX model")
    return model
