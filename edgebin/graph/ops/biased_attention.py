"""`BiasedAttention`: attention on bits whose map keeps the scores, bias included, near their row's largest."""

from __future__ import annotations

from edgebin.graph.ops.attention_shape import context_shape
from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.nn import ops


def _shape(inputs: list[Shape], attributes: Attributes) -> Shape:
    q, k, v, bias, scale, margin = inputs
    require("the heads of bias", bias[1], attributes["heads"])
    require("the queries of bias", bias[2], q[1])
    require("the keys of bias", bias[3], k[1])
    require("the length of scale", scale[0], 1)
    require("the length of margin", margin[0], 1)
    if isinstance(q[0], int) and isinstance(bias[0], int):
        require("the remainder of the batch by the groups of bias", q[0] % bias[0], 0)
    return context_shape(q, k, v, attributes)


BIASED_ATTENTION = define(
    "BiasedAttention",
    "context int32 [B, Nq, heads * head_dim] from bits q uint8 [B, Nq, Cb], k and v uint8 [B, Nkv, Cb], "
    "Cb = 8 * ceil(heads * head_dim / 64), and bias float [G, heads, Nq, Nkv], scale and margin float [1]. Entry b of "
    "the batch uses bias[b % G]; B is a multiple of G. Per head, score[i, j] is head_dim minus twice the number of "
    "unequal bits of q[i] and k[j], t[i, j] = fma(score[i, j], scale, bias[b % G, head, i, j]), "
    "map[i, j] = t[i, j] >= (max over j of t[i, j]) - margin, "
    "context[i, c] = sum over j of map[i, j] * (v[j, c] negative ? -1 : +1).",
    inputs={"q": "uint8", "k": "uint8", "v": "uint8", "bias": "float", "scale": "float", "margin": "float"},
    output=("context", "int32"),
    attributes={"heads": "number of heads", "head_dim": "bits of one head"},
    shape_rule=_shape,
    torch_op=ops.biased_attention._opoverload,
    # Sums in float64, rounded to float32, have the bits of a fused multiply-add but for one case in 2**29.
    body="""
  score = edgebin.HeadScores <heads: int = @heads, head_dim: int = @head_dim> (q, k)
  score_wide = Cast <to = 11> (score)
  scale_wide = Cast <to = 11> (scale)
  scaled = Mul (score_wide, scale_wide)
  rest = Constant <value_ints = [-1]> ()
  bias_shape = Shape (bias)
  grouped_shape = Concat <axis = 0> (rest, bias_shape)
  grouped = Reshape (scaled, grouped_shape)
  bias_wide = Cast <to = 11> (bias)
  sum = Add (grouped, bias_wide)
  t_grouped = Cast <to = 1> (sum)
  score_shape = Shape (score)
  t = Reshape (t_grouped, score_shape)
  largest = ReduceMax (t, rest)
  least = Sub (largest, margin)
  active = GreaterOrEqual (t, least)
  maps = Cast <to = 1> (active)
  context = edgebin.HeadContext <heads: int = @heads, head_dim: int = @head_dim> (maps, v)
""",
)
