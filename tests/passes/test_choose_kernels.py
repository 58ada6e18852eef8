"""Each kernel call is asked about once, as the block that one core gets, and keeps the answer."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from edgebin.errors import CompileError
from edgebin.kernels.choose import always
from edgebin.kernels.shape import CallShape
from edgebin.kernels.variants import Variant
from edgebin.passes import choose_kernels, lower
from edgebin.passes.node_call import is_kernel_call, node_call
from tests.passes.graphs import parse

LINEAR = """
g (float[2, 40, 96] x) => (float[2, 40, 8] y) {
  [same] bits = edgebin.SignPack (x, threshold)
  [same] y = edgebin.BinaryLinear <k = 96> (bits, weight, scale, bias)
}
<domain: "edgebin", opset_import: ["": 20]> Unused (x) => (y) { y = Identity (x) }
"""


def linear() -> ir.Model:
    model = parse(
        LINEAR,
        {
            "threshold": np.zeros(96, np.float32),
            "weight": np.zeros((8, 16), np.uint8),
            "scale": np.ones(8, np.float32),
            "bias": np.zeros(8, np.float32),
        },
    )
    bits = model.graph[0].outputs[0]
    bits.shape, bits.type = ir.Shape([2, 40, 16]), ir.TensorType(ir.DataType.UINT8)
    lower(model, batch=2)
    return model


def test_one_question_per_call_about_the_rows_of_one_core() -> None:
    asked: list[CallShape] = []

    def choose(call: CallShape) -> Variant:
        asked.append(call)
        return always("scalar")(call)

    model = linear()
    calls = choose_kernels(model, choose, cores=4)
    # 80 rows: 20 to a core, which is two tiles of 12.
    assert asked == [
        CallShape("rows", "threshold0:bits0", (24, 96)),
        CallShape("b1_gemm", "scale,bias:out", (24, 96, 8)),
    ]
    assert list(calls) == [node.name for node in model.graph]
    assert len(calls) == 2
    assert [node.attributes["variant"].as_string() for node in model.graph] == ["scalar", "scalar"]
    assert [call.shape.dims for call in calls.values()] == [(80, 96), (80, 96, 8)]


def test_work_of_a_call() -> None:
    pack, product = choose_kernels(linear(), always("scalar"), cores=1).values()
    assert product.macs == 80 * 96 * 8
    assert product.bytes_ == 80 * 16 + 8 * 16 + 2 * 8 * 4 + 80 * 8 * 4
    assert pack.macs == 0


def test_windows_are_calls_of_their_own() -> None:
    model = parse(
        "g (uint8[9, 49, 8] q) => (int32[9, 49, 64] y) { "
        "y = edgebin.RelativeAttention <heads = 2, head_dim = 32, drop = 3> (q, q, q) }"
    )
    call = node_call(next(node for node in model.graph if is_kernel_call(node)))
    assert call.shape == CallShape("b1_relative_attention", "int", (2, 32, 49, 49))
    assert call.times == 9
    assert call.macs == 9 * 2 * 2 * 32 * 49 * 49
    assert not call.shares_rows


def test_op_without_a_kernel_is_named() -> None:
    model = parse("g (float[2, 4] x) => (float[2, 4] y) { y = edgebin.Unheard (x) }")
    with pytest.raises(CompileError, match="Unheard"):
        choose_kernels(model, always("scalar"), cores=1)
