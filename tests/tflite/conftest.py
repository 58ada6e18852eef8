"""The delegate of this machine, and the runtimes that take it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgebin.backends.tflite.build import host_library
from edgebin.targets import load_target
from edgebin.tflite import interpreter
from edgebin.toolchain.compiler import Compiler, zig_compiler

Array = npt.NDArray[Any]
Run = Callable[..., list[Array]]


def _skip(package: str) -> Any:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


RUNTIMES = [
    pytest.param("tflite_runtime", marks=_skip("tflite_runtime")),
    pytest.param("litert", marks=_skip("ai_edge_litert")),
]


@pytest.fixture(scope="session")
def compiler() -> Compiler:
    return zig_compiler(load_target("x86-64"))


@pytest.fixture(scope="session")
def library() -> Path:
    return host_library()


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(runtime: str, library: Path) -> Run:
    """Runs a model on inputs in the order of its graph, twice: nothing may stay behind from the first time."""

    def run_model(model: bytes, *inputs: Array, num_threads: int = 1) -> list[Array]:
        made = interpreter(model, runtime, library=library, num_threads=num_threads)
        for detail, array in zip(made.get_input_details(), inputs, strict=True):
            made.set_tensor(detail["index"], np.zeros_like(array))
        made.invoke()
        for detail, array in zip(made.get_input_details(), inputs, strict=True):
            made.set_tensor(detail["index"], array)
        made.invoke()
        return [made.get_tensor(detail["index"]) for detail in made.get_output_details()]

    return run_model
