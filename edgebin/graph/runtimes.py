"""Runs ONNX models with runtimes that know nothing of edgebin's kernels, so that the bodies of our ops do the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import edgebin  # noqa: F401  (switches onnxruntime's telemetry off before it is loaded)

# isort: split
import numpy.typing as npt
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors

from edgebin.errors import ExportError

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

_ERRORS_ONLY = 3
_REFUSALS = (
    onnxruntime_errors.Fail,
    onnxruntime_errors.InvalidArgument,
    onnxruntime_errors.InvalidGraph,
    onnxruntime_errors.NotImplemented,
)


def run_onnxruntime(model: onnx.ModelProto, inputs: Arrays, outputs: Sequence[str]) -> Arrays:
    """The named outputs from stock onnxruntime on the CPU.

    Raises:
        ExportError: onnxruntime refuses the model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except _REFUSALS as error:
        raise ExportError(f"onnxruntime cannot load the exported model: {error}") from error
    return dict(zip(outputs, session.run(list(outputs), inputs), strict=True))


def run_reference(model: onnx.ModelProto, inputs: Arrays, outputs: Sequence[str]) -> Arrays:
    """The named outputs from `onnx.reference`, ONNX's own evaluator in numpy."""
    evaluator = ReferenceEvaluator(model)
    return dict(zip(outputs, evaluator.run(list(outputs), inputs), strict=True))
