"""Helper functions that bodies of concept ops share: products of ±1 with ±1. No node of a graph calls them directly."""

from __future__ import annotations

from edgebin.graph.ops.concept import function_from_text

# signs float [..., 8 * Kb] whose padding is +1, weight uint8 [N, Kb] -> y float [..., N]. Padding bits are +1 in both
# operands, so the product over whole rows is too large by their number. Every partial sum is a whole number below
# 2**24: float32 holds it exactly in any order of summation.
_SIGN_PRODUCT = """
  weights = edgebin.UnpackSigns (weight)
  columns = Transpose <perm = [1, 0]> (weights)
  product = MatMul (signs, columns)
  row_bytes = Shape <start = 1> (weight)
  byte_bits = Constant <value_int = 8> ()
  row_bits = Mul (row_bytes, byte_bits)
  k = Constant <value_int: int = @k> ()
  padding_bits = Sub (row_bits, k)
  padding = Cast <to = 11> (padding_bits)
  product_wide = Cast <to = 11> (product)
  accumulator = Sub (product_wide, padding)
  y = edgebin.ScaleAndBias (accumulator, scale, bias)
"""

# accumulator double [..., N], scale and bias float [N] -> y float [..., N].
_SCALE_AND_BIAS = """
  scale_wide = Cast <to = 11> (scale)
  bias_wide = Cast <to = 11> (bias)
  scaled = Mul (accumulator, scale_wide)
  sum = Add (scaled, bias_wide)
  y = Cast <to = 1> (sum)
"""

# q uint8 [B, Nq, Cb], k uint8 [B, Nkv, Cb] -> score float [B, heads, Nq, Nkv].
_HEAD_SCORES = """
  q_signs = edgebin.UnpackHeads <heads: int = @heads, head_dim: int = @head_dim> (q)
  k_signs = edgebin.UnpackHeads <heads: int = @heads, head_dim: int = @head_dim> (k)
  k_columns = Transpose <perm = [0, 1, 3, 2]> (k_signs)
  score = MatMul (q_signs, k_columns)
"""

# maps float [B, heads, Nq, Nkv] of whole numbers, v uint8 [B, Nkv, Cb] -> context int32 [B, Nq, heads * head_dim].
_HEAD_CONTEXT = """
  v_signs = edgebin.UnpackHeads <heads: int = @heads, head_dim: int = @head_dim> (v)
  by_head = MatMul (maps, v_signs)
  by_token = Transpose <perm = [0, 2, 1, 3]> (by_head)
  context_shape = Constant <value_ints = [0, 0, -1]> ()
  context_float = Reshape (by_token, context_shape)
  context = Cast <to = 6> (context_float)
"""

_HEADS = ("heads", "head_dim")

PRODUCT_FUNCTIONS = (
    function_from_text("ScaleAndBias", (), ("accumulator", "scale", "bias"), "y", _SCALE_AND_BIAS),
    function_from_text("SignProduct", ("k",), ("signs", "weight", "scale", "bias"), "y", _SIGN_PRODUCT),
    function_from_text("HeadScores", _HEADS, ("q", "k"), "score", _HEAD_SCORES),
    function_from_text("HeadContext", _HEADS, ("maps", "v"), "context", _HEAD_CONTEXT),
)
