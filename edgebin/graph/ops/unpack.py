"""Helper functions that the bodies of the concept ops share: bits to ±1. No node of a graph calls them directly."""

from __future__ import annotations

from edgebin.graph.ops.concept import function_from_text

# bits uint8 [..., Kb] -> signs float [..., 8 * Kb], looked up in a table [256, 8] that runtimes fold into a constant.
_UNPACK_SIGNS = """
  first = Constant <value_int = 0> ()
  end = Constant <value_int = 256> ()
  step = Constant <value_int = 1> ()
  last_axis = Constant <value_ints = [-1]> ()
  numbers = Range (first, end, step)
  bytes = Cast <to = 2> (numbers)
  column = Unsqueeze (bytes, last_axis)
  places = Constant <value = uint8[8] {0, 1, 2, 3, 4, 5, 6, 7}> ()
  shifted = BitShift <direction = "RIGHT"> (column, places)
  low_bit = Constant <value = uint8 {1}> ()
  bit = BitwiseAnd (shifted, low_bit)
  negative = Cast <to = 9> (bit)
  minus_one = Constant <value_float = -1.0> ()
  plus_one = Constant <value_float = 1.0> ()
  table = Where (negative, minus_one, plus_one)

  index = Cast <to = 6> (bits)
  groups = Gather <axis = 0> (table, index)
  rows = Shape <end = -1> (bits)
  shape = Concat <axis = 0> (rows, last_axis)
  signs = Reshape (groups, shape)
"""

# bits uint8 [B, N, Cb] -> signs float [B, heads, N, head_dim].
_UNPACK_HEADS = """
  all_signs = edgebin.UnpackSigns (bits)
  heads_int = Constant <value_int: int = @heads> ()
  head_dim_int = Constant <value_int: int = @head_dim> ()
  one_size = Constant <value_ints = [1]> ()
  heads_size = Reshape (heads_int, one_size)
  head_dim_size = Reshape (head_dim_int, one_size)
  channels = Mul (heads_size, head_dim_size)
  begin = Constant <value_ints = [0]> ()
  axis = Constant <value_ints = [2]> ()
  kept = Slice (all_signs, begin, channels, axis)
  copied = Constant <value_ints = [0, 0]> ()
  shape = Concat <axis = 0> (copied, heads_size, head_dim_size)
  by_token = Reshape (kept, shape)
  signs = Transpose <perm = [0, 2, 1, 3]> (by_token)
"""

UNPACK_FUNCTIONS = (
    function_from_text("UnpackSigns", (), ("bits",), "signs", _UNPACK_SIGNS),
    function_from_text("UnpackHeads", ("heads", "head_dim"), ("bits",), "signs", _UNPACK_HEADS),
)
