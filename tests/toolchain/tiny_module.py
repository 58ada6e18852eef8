"""A really compiled module, small enough to build in a test: two inputs, two outputs, one parallel kernel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler

BATCH = 4
INPUT_WIDTH = 8
CLASSES = 5
WEIGHT = np.random.default_rng(7).standard_normal((INPUT_WIDTH, CLASSES)).astype(np.float32)


def build_tiny_module(target: Target, compiler: Compiler, output: Path) -> None:
    """Compiles `logits = max(pixel_values @ WEIGHT, 0)`, `doubled = 2 * counts` for the target."""
    import tvm
    from tvm import relax
    from tvm.script import tirx as T

    @T.prim_func(s_tir=True)
    def double(x: T.Buffer((BATCH, 64), "int32"), y: T.Buffer((BATCH, 64), "int32")):
        T.func_attr({"tirx.noalias": True})
        for i in T.parallel(BATCH):
            for j in range(64):
                with T.sblock("double"):
                    vi, vj = T.axis.remap("SS", [i, j])
                    y[vi, vj] = x[vi, vj] * 2

    builder = relax.BlockBuilder()
    x = relax.Var("pixel_values", relax.TensorType((BATCH, INPUT_WIDTH), "float32"))
    counts = relax.Var("counts", relax.TensorType((BATCH, 64), "int32"))
    with builder.function("main", [x, counts]):
        with builder.dataflow():
            product = builder.emit(relax.op.matmul(x, relax.const(WEIGHT)))
            logits = builder.emit(relax.op.nn.relu(product))
            kernel = builder.add_func(double, "double")
            doubled = builder.emit(relax.call_tir(kernel, [counts], relax.TensorType((BATCH, 64), "int32")))
            result = builder.emit_output(relax.Tuple([logits, doubled]))
        builder.emit_func_output(result)
    tvm_target = tvm.target.Target(target.tvm_target())
    executable = relax.build(
        builder.get(),
        tvm_target,
        relax_pipeline=relax.get_default_pipeline(tvm_target),
        exec_mode="bytecode",
    )
    executable.export_library(str(output), fcompile=compiler.tvm_fcompile())


def tiny_inputs(rows: int, seed: int = 0) -> dict[str, NDArray[np.generic]]:
    generator = np.random.default_rng(seed)
    return {
        "pixel_values": generator.standard_normal((rows, INPUT_WIDTH)).astype(np.float32),
        "counts": generator.integers(-1000, 1000, (rows, 64)).astype(np.int32),
    }


def tiny_outputs(inputs: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """What the module must give, by numpy."""
    return {
        "logits": np.maximum(inputs["pixel_values"] @ WEIGHT, 0).astype(np.float32),
        "doubled": (inputs["counts"] * 2).astype(np.int32),
    }
