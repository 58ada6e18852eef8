"""`RelativeAttention`: attention on bits whose map keeps the scores near their row's largest."""

from __future__ import annotations

from edgebin.graph.ops.attention_shape import context_shape
from edgebin.graph.ops.concept import Attributes, Shape, define
from edgebin.nn import ops


def _shape(inputs: list[Shape], attributes: Attributes) -> Shape:
    q, k, v = inputs
    return context_shape(q, k, v, attributes)


RELATIVE_ATTENTION = define(
    "RelativeAttention",
    "context int32 [B, Nq, heads * head_dim] from bits q uint8 [B, Nq, Cb], k and v uint8 [B, Nkv, Cb], "
    "Cb = 8 * ceil(heads * head_dim / 64). Per head, agree[i, j] is the number of equal bits of q[i] and k[j], "
    "map[i, j] = agree[i, j] + drop >= max over j of agree[i, j], "
    "context[i, c] = sum over j of map[i, j] * (v[j, c] negative ? -1 : +1). Exact.",
    inputs={"q": "uint8", "k": "uint8", "v": "uint8"},
    output=("context", "int32"),
    attributes={
        "heads": "number of heads",
        "head_dim": "bits of one head",
        "drop": "how many equal bits fewer than the most still count",
    },
    shape_rule=_shape,
    torch_op=ops.relative_attention._opoverload,
    body="""
  score = edgebin.HeadScores <heads: int = @heads, head_dim: int = @head_dim> (q, k)
  last_axis = Constant <value_ints = [-1]> ()
  largest = ReduceMax (score, last_axis)
  drop_int = Constant <value_int: int = @drop> ()
  drop = Cast <to = 1> (drop_int)
  two = Constant <value_float = 2.0> ()
  score_drop = Mul (drop, two)
  raised = Add (score, score_drop)
  active = GreaterOrEqual (raised, largest)
  maps = Cast <to = 1> (active)
  context = edgebin.HeadContext <heads: int = @heads, head_dim: int = @head_dim> (maps, v)
""",
)
