"""`kernels/tflite/abi.h` against the real runtimes: every field that it declares is read in them, or written."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from edgebin.toolchain.compiler import Compiler
from tests.tflite.model import Model

MODULES = {"tflite_runtime": "tflite_runtime.interpreter", "litert": "ai_edge_litert.interpreter"}


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory, compiler: Compiler) -> Path:
    output = tmp_path_factory.mktemp("probe") / "probe.so"
    flags = ["-shared", "-fPIC", "-std=c11", "-Wall", "-Wextra", "-Werror"]
    compiler.compile([Path(__file__).with_name("abi_probe.c")], output, flags)
    return output


def test_the_declared_fields_hold_what_the_model_says(runtime: str, probe: Path, tmp_path: Path) -> None:
    module = pytest.importorskip(MODULES[runtime])
    model = Model()
    x = model.input("x", (1, 2), "int8", scale=0.25, zero_point=-3)
    y, z = model.tensor("y", (1, 3)), model.tensor("z", (1, 3))
    weight = model.constant("weight", np.array([[42, 1, 2, 3, 4]], np.int8))
    model.custom("Probe", [x, weight, -1], [y], b"options of the op")
    model.add(y, y, z)
    model.outputs = [z]
    report = tmp_path / "report"
    loaded = module.load_delegate(str(probe), {"output": report})
    made = module.Interpreter(model_content=model.write(), experimental_delegates=[loaded], num_threads=3)
    made.allocate_tensors()
    made.invoke()
    [result] = made.get_tensor(z)
    del made, loaded
    gc.collect()
    lines = report.read_text().splitlines()
    prepared = lines.index("invoke")
    assert result.tolist() == [0.0, 2.0, 4.0]
    assert lines[:7] == [
        "context threads=3",
        "tensor name=x type=9 allocation=2 bytes=2 scale=0.25 zero_point=-3 variable=0 quantization=1 dims=1,2 "
        "signature=",
        "tensor name=y type=1 allocation=2 bytes=12 scale=0 zero_point=0 variable=0 quantization=0 dims=1,3 signature=",
        "tensor name=z type=1 allocation=2 bytes=12 scale=0 zero_point=0 variable=0 quantization=0 dims=1,3 signature=",
        "tensor name=weight type=9 allocation=1 bytes=5 scale=0 zero_point=0 variable=0 quantization=0 dims=1,5 "
        "signature= first=42",
        "node code=32 name=Probe version=1 options=options of the op inputs=0,3,-1 outputs=1 undelegated=1",
        "init length=0 status=0 replaces=Probe output=y",
    ]
    assert lines[7] == "node code=0 name= version=1 options= inputs=1,1 outputs=2 undelegated=1"
    assert set(lines[8:prepared]) == {"prepare self=1 ours=1 status=0 bytes=12"}
    assert lines[prepared:] == ["invoke", "free self=1"]
