"""`TernaryLinear`: a dense layer of ±1 weights on activations in {-1, 0, +1}."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn import ops


def _shape(inputs: list[Shape], attributes: Attributes) -> Shape:
    negative, not_positive, weight, scale, bias = inputs
    row_bytes = bit_row_bytes(attributes["k"])
    require("a row of negative", negative[-1], row_bytes)
    require("a row of not_positive", not_positive[-1], row_bytes)
    require("a row of weight", weight[1], row_bytes)
    require("the length of scale", scale[0], weight[0])
    require("the length of bias", bias[0], weight[0])
    return (*negative[:-1], weight[0])


TERNARY_LINEAR = define(
    "TernaryLinear",
    "y float [..., N] = (k - popcount(negative ^ weight) - popcount(not_positive ^ weight)) * scale + bias, the sum of "
    "sign(x) * w with sign(0) = 0, given the bits negative of x < 0 and not_positive of x <= 0, both uint8 [..., Kb], "
    "weight uint8 [N, Kb], scale and bias float [N], Kb = 8 * ceil(k / 64). The integer is exact; scale and bias are "
    "applied in float64 and rounded to float32.",
    inputs={
        "negative": "uint8",
        "not_positive": "uint8",
        "weight": "uint8",
        "scale": "float",
        "bias": "float",
    },
    output=("y", "float"),
    attributes={"k": "true number of bits in a row"},
    shape_rule=_shape,
    torch_op=ops.ternary_linear._opoverload,
    body="""
  not_below = edgebin.UnpackSigns (negative)
  above = edgebin.UnpackSigns (not_positive)
  twice_signs = Add (not_below, above)
  half = Constant <value_float = 0.5> ()
  signs = Mul (twice_signs, half)
  y = edgebin.SignProduct <k: int = @k> (signs, weight, scale, bias)
""",
)
