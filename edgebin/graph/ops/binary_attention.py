"""`BinaryAttention`: attention on bits whose maps are {0, 1}."""

from __future__ import annotations

from edgebin.graph.ops.attention_shape import context_shape
from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.nn import ops


def _shape(inputs: list[Shape], attributes: Attributes) -> Shape:
    q, k, v, exp_table, limit = inputs
    heads, head_dim = attributes["heads"], attributes["head_dim"]
    require("the length of exp_table", exp_table[0], head_dim + 1)
    require("the heads of limit", limit[1], heads)
    require("the length of limit", limit[2], head_dim + 1)
    return context_shape(q, k, v, attributes)


BINARY_ATTENTION = define(
    "BinaryAttention",
    "context int32 [B, Nq, heads * head_dim] from bits q uint8 [B, Nq, Cb], k and v uint8 [B, Nkv, Cb], "
    "Cb = 8 * ceil(heads * head_dim / 64). Per head, agree[i, j] is the number of equal bits of q[i] and k[j], "
    "z[i] = sum over j of exp_table[agree[i, j]], map[s, i, j] = z[i] < limit[s, head, agree[i, j]], "
    "context[i, c] = sum over s, j of map[s, i, j] * (v[j, c] negative ? -1 : +1). exp_table int64 [head_dim + 1], "
    "limit int64 [maps, heads, head_dim + 1]. Exact.",
    inputs={"q": "uint8", "k": "uint8", "v": "uint8", "exp_table": "int64", "limit": "int64"},
    output=("context", "int32"),
    attributes={"heads": "number of heads", "head_dim": "bits of one head"},
    shape_rule=_shape,
    torch_op=ops.binary_attention._opoverload,
    # The row sum is a product with ones because onnxruntime 1.31 rounds the ReduceSum of int64 to 53 bits.
    body="""
  score = edgebin.HeadScores <heads: int = @heads, head_dim: int = @head_dim> (q, k)
  head_dim = Constant <value_int: int = @head_dim> ()
  head_dim_float = Cast <to = 1> (head_dim)
  half = Constant <value_float = 0.5> ()
  twice_agree = Add (score, head_dim_float)
  agree_float = Mul (twice_agree, half)
  agree = Cast <to = 6> (agree_float)

  exponential = Gather <axis = 0> (exp_table, agree)
  keys = Shape <start = 1, end = 2> (k)
  one_column = Constant <value_ints = [1]> ()
  ones_shape = Concat <axis = 0> (keys, one_column)
  ones = ConstantOfShape <value = int64[1] {1}> (ones_shape)
  row_sum = MatMul (exponential, ones)

  zero = Constant <value_int = 0> ()
  one = Constant <value_int = 1> ()
  heads = Constant <value_int: int = @heads> ()
  head = Range (zero, heads, one)
  scores_per_head = Add (head_dim, one)
  first_of_head = Mul (head, scores_per_head)
  query_and_key = Constant <value_ints = [1, 2]> ()
  offset_wide = Unsqueeze (first_of_head, query_and_key)
  offset = Cast <to = 6> (offset_wide)
  position = Add (agree, offset)
  flat_shape = Constant <value_ints = [0, -1]> ()
  flat_limit = Reshape (limit, flat_shape)
  limits = Gather <axis = 1> (flat_limit, position)

  active = Less (row_sum, limits)
  maps = Cast <to = 1> (active)
  map_axis = Constant <value_ints = [0]> ()
  map_sum = ReduceSum <keepdims = 0> (maps, map_axis)
  context = edgebin.HeadContext <heads: int = @heads, head_dim: int = @head_dim> (map_sum, v)
""",
)
