"""The runtimes that `.tflite` files are for, each as one function of a file and its inputs."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgebin.tflite import Runtime, interpreter

Arrays = Sequence[np.ndarray]


def _available(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def run_tflite(content: bytes, inputs: Arrays) -> list[np.ndarray]:
    """tflite_runtime 2.14."""
    from tflite_runtime.interpreter import Interpreter

    return _run(Interpreter(model_content=content, num_threads=1), inputs)


def run_litert(content: bytes, inputs: Arrays) -> list[np.ndarray]:
    """ai-edge-litert 2.3."""
    from ai_edge_litert.interpreter import Interpreter

    return _run(Interpreter(model_content=content, num_threads=1), inputs)


def run_with_delegate(content: bytes, inputs: Arrays, runtime: Runtime) -> list[np.ndarray]:
    """A stock runtime with edgebin's delegate."""
    return _run(interpreter(content, runtime), inputs)


def _run(runner: Any, inputs: Arrays) -> list[np.ndarray]:
    runner.allocate_tensors()
    for detail, array in zip(runner.get_input_details(), inputs, strict=True):
        runner.set_tensor(detail["index"], array)
    runner.invoke()
    return [runner.get_tensor(detail["index"]) for detail in runner.get_output_details()]


@cache
def _lce_module() -> ModuleType:
    """LCE's interpreter from its shared library: importing its package would import TensorFlow."""
    package = importlib.util.find_spec("larq_compute_engine")
    assert package is not None
    assert package.origin is not None
    library = Path(package.origin).parent / "tflite" / "python" / "interpreter_wrapper_lite.so"
    loader = importlib.machinery.ExtensionFileLoader("interpreter_wrapper_lite", str(library))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    return module


def lce_interpreter(content: bytes, kernels: str = "indirect") -> Any:
    """LCE 0.16's own interpreter, one thread; `kernels`: indirect, xnnpack (the same, and XNNPACK), or reference."""
    reference, xnnpack = kernels == "reference", kernels == "xnnpack"
    return _lce_module().LiteInterpreter(content, 1, reference, not reference, xnnpack)


def run_lce(content: bytes, inputs: Arrays, kernels: str = "indirect") -> list[np.ndarray]:
    """What LCE's own interpreter computes, from the second run: some of its kernels go wrong only then."""
    runner = lce_interpreter(content, kernels)
    runner.predict(list(inputs))
    return [np.array(array) for array in runner.predict(list(inputs))]


DELEGATED = {
    "tflite-edgebin": ("tflite_runtime", lambda content, inputs: run_with_delegate(content, inputs, "tflite_runtime")),
    "litert-edgebin": ("ai_edge_litert", lambda content, inputs: run_with_delegate(content, inputs, "litert")),
}
RUNTIMES = {"tflite": ("tflite_runtime", run_tflite), "litert": ("ai_edge_litert", run_litert)}
LCE_RUNTIMES = {
    f"lce-{kernels}": ("larq_compute_engine", lambda content, inputs, k=kernels: run_lce(content, inputs, k))
    for kernels in ("indirect", "xnnpack", "reference")
}


def parameters(*tables: dict[str, tuple[str, Any]]) -> list[Any]:
    """pytest parameters of runtimes; those that are not installed are skipped."""
    return [
        pytest.param(
            run, id=name, marks=pytest.mark.skipif(not _available(module), reason=f"{module} is not installed")
        )
        for table in tables
        for name, (module, run) in table.items()
    ]
