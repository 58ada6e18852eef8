"""`BinaryLinear`: a dense layer of ±1 weights on ±1 activations."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn import ops


def _shape(inputs: list[Shape], attributes: Attributes) -> Shape:
    bits, weight, scale, bias = inputs
    row_bytes = bit_row_bytes(attributes["k"])
    require("a row of bits", bits[-1], row_bytes)
    require("a row of weight", weight[1], row_bytes)
    require("the length of scale", scale[0], weight[0])
    require("the length of bias", bias[0], weight[0])
    return (*bits[:-1], weight[0])


BINARY_LINEAR = define(
    "BinaryLinear",
    "y float [..., N] = (k - 2 * popcount(bits ^ weight)) * scale + bias, with bits uint8 [..., Kb], "
    "weight uint8 [N, Kb], scale and bias float [N], Kb = 8 * ceil(k / 64). The integer is exact; scale and bias are "
    "applied in float64 and rounded to float32.",
    inputs={"bits": "uint8", "weight": "uint8", "scale": "float", "bias": "float"},
    output=("y", "float"),
    attributes={"k": "true number of bits in a row"},
    shape_rule=_shape,
    torch_op=ops.binary_linear._opoverload,
    body="""
  signs = edgebin.UnpackSigns (bits)
  y = edgebin.SignProduct <k: int = @k> (signs, weight, scale, bias)
""",
)
