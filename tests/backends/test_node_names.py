"""TVM's own functions bear the names of their nodes, each its own, and compute what they did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx.reference import ReferenceEvaluator

from edgebin.backends.tvm import build_module
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain.compiler import find_compiler
from tests.passes.graphs import parse

pytestmark = pytest.mark.skipif(host_arch() != "x86_64", reason="compiles for x86-64 and runs the result")
# Two nodes of one name, and one without.
NAMES = {"a": "block.0/softmax", "c": "block.0/softmax", "e": "gelu", "t": ""}


def test_equal_functions_of_different_nodes_are_told_apart(tmp_path: Path) -> None:
    import tvm
    from tvm import relax

    model = parse(
        "g (float[4, 6] x) => (float[6, 4] y, float[4, 6] f) { a = Softmax(x)  b = Add(a, x)  c = Softmax(b) "
        "t = Transpose(c)  y = Softmax(t)  e = Erf(x)  f = Mul(e, x) }"
    )
    for node in model.graph:
        node.name = NAMES.get(node.outputs[0].name or "", "x")
    target = load_target("x86-64")
    compiled = build_module(ir.to_proto(model), target, compiler=find_compiler(target), output=tmp_path / "m.so")
    assert compiled.calls == {}
    assert compiled.own == {
        "softmax__block_0_softmax": ("softmax", "block.0/softmax"),
        "softmax__block_0_softmax_1": ("softmax", "block.0/softmax"),
        "softmax__x": ("softmax", "x"),
        "erf__gelu": ("erf", "gelu"),
    }
    machine = relax.VirtualMachine(tvm.runtime.load_module(str(compiled.library)), tvm.cpu())
    called: list[str] = []
    machine.set_instrument(lambda _function, name, before, *_: called.append(name) if before else None)
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    results = machine["main"](tvm.runtime.tensor(x))
    for result, expected in zip(results, ReferenceEvaluator(ir.to_proto(model)).run(None, {"x": x}), strict=True):
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert set(compiled.own) <= set(called)
