"""`SignedLinear`: a dense layer of ±1 weights on float activations (W1A32)."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn import ops


def _shape(inputs: list[Shape], attributes: Attributes) -> Shape:
    x, weight, scale, bias = inputs
    require("a row of x", x[-1], attributes["k"])
    require("a row of weight", weight[1], bit_row_bytes(attributes["k"]))
    require("the length of scale", scale[0], weight[0])
    require("the length of bias", bias[0], weight[0])
    return (*x[:-1], weight[0])


SIGNED_LINEAR = define(
    "SignedLinear",
    "y float [..., N] = (sum over p of (weight[n, p] negative ? -x[p] : x[p])) * scale + bias, with x float [..., k], "
    "bits weight uint8 [N, 8 * ceil(k / 64)], scale and bias float [N]. Worked out in float64 and rounded to float32.",
    inputs={"x": "float", "weight": "uint8", "scale": "float", "bias": "float"},
    output=("y", "float"),
    attributes={"k": "number of values in a row"},
    shape_rule=_shape,
    torch_op=ops.signed_linear._opoverload,
    body="""
  all_signs = edgebin.UnpackSigns (weight)
  begin = Constant <value_ints = [0]> ()
  k_int = Constant <value_int: int = @k> ()
  one_size = Constant <value_ints = [1]> ()
  k = Reshape (k_int, one_size)
  signs = Slice (all_signs, begin, k, one_size)
  rows = Transpose <perm = [1, 0]> (signs)
  columns = Cast <to = 11> (rows)
  x_wide = Cast <to = 11> (x)
  accumulator = MatMul (x_wide, columns)
  y = edgebin.ScaleAndBias (accumulator, scale, bias)
""",
)
