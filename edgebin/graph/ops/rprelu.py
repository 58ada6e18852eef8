"""`RPReLU`: ReActNet's activation, a PReLU with learned shifts on both sides."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.nn import ops


def _shape(inputs: list[Shape], _: Attributes) -> Shape:
    x, *vectors = inputs
    for name, vector in zip(("shift", "slope", "offset"), vectors, strict=True):
        require(f"the length of {name}", vector[0], x[-1])
    return x


RPRELU = define(
    "RPReLU",
    "u = x - shift; y = (u < 0 ? u * slope : u) + offset, with x float [..., C] and vectors float [C].",
    inputs={"x": "float", "shift": "float", "slope": "float", "offset": "float"},
    output=("y", "float"),
    shape_rule=_shape,
    torch_op=ops.rprelu._opoverload,
    body="""
  shifted = Sub (x, shift)
  activated = PRelu (shifted, slope)
  y = Add (activated, offset)
""",
)
