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
    # Padding bits are +1 in both operands, so the product over whole rows is too large by their number. Every partial
    # sum is an integer below 2**24: float32 holds it exactly in any order of summation.
    body="""
  activations = edgebin.UnpackSigns (bits)
  weights = edgebin.UnpackSigns (weight)
  columns = Transpose <perm = [1, 0]> (weights)
  product = MatMul (activations, columns)
  row_bytes = Shape <start = 1> (weight)
  byte_bits = Constant <value_int = 8> ()
  row_bits = Mul (row_bytes, byte_bits)
  k = Constant <value_int: int = @k> ()
  padding_bits = Sub (row_bits, k)
  padding = Cast <to = 11> (padding_bits)
  product_wide = Cast <to = 11> (product)
  accumulator = Sub (product_wide, padding)
  scale_wide = Cast <to = 11> (scale)
  bias_wide = Cast <to = 11> (bias)
  scaled = Mul (accumulator, scale_wide)
  sum = Add (scaled, bias_wide)
  y = Cast <to = 1> (sum)
""",
)
