"""The shape rule that all attention ops share."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, require
from edgebin.kernels.packing import bit_row_bytes


def context_shape(q: Shape, k: Shape, v: Shape, attributes: Attributes) -> Shape:
    """[B, Nq, heads * head_dim] from the shapes of bits [B, N, Cb].

    Raises:
        ValueError: they do not fit together.
    """
    channels = attributes["heads"] * attributes["head_dim"]
    for name, operand in (("q", q), ("k", k), ("v", v)):
        require(f"a row of {name}", operand[-1], bit_row_bytes(channels))
    require("the number of tokens of v", v[1], k[1])
    return (q[0], q[1], channels)
