"""`SignPack`: activations to bits."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn import ops


def _shape(inputs: list[Shape], _: Attributes) -> Shape:
    x, threshold = inputs
    require("the length of threshold", threshold[0], x[-1])
    channels = threshold[0]
    return (*x[:-1], bit_row_bytes(channels) if isinstance(channels, int) else None)


SIGN_PACK = define(
    "SignPack",
    "Binarises x float [..., C] with threshold float [C] into bits uint8 [..., Cb], Cb = 8 * ceil(C / 64): "
    "bit = x < threshold.",
    inputs={"x": "float", "threshold": "float"},
    output=("bits", "uint8"),
    shape_rule=_shape,
    torch_op=ops.sign_pack._opoverload,
    # Rows padded to whole words are rows of bytes; a byte is the sum of its bits times their place values.
    body="""
  below = Less (x, threshold)
  negative = Cast <to = 1> (below)
  free = Constant <value_ints = [-1]> ()
  channels = Shape <start = -1> (x)
  flat_shape = Concat <axis = 0> (free, channels)
  flat = Reshape (negative, flat_shape)
  minus_channels = Neg (channels)
  word_bits = Constant <value_ints = [64]> ()
  padding_bits = Mod (minus_channels, word_bits)
  no_padding = Constant <value_ints = [0, 0, 0]> ()
  padding = Concat <axis = 0> (no_padding, padding_bits)
  padded = Pad (flat, padding)
  group_shape = Constant <value_ints = [-1, 8]> ()
  groups = Reshape (padded, group_shape)
  place_values = Constant <value = float[8] {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0}> ()
  sums = MatMul (groups, place_values)
  bytes = Cast <to = 2> (sums)
  rows = Shape <end = -1> (x)
  shape = Concat <axis = 0> (rows, free)
  bits = Reshape (bytes, shape)
""",
)
