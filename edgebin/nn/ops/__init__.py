"""The torch library `edgebin`: one custom op per concept op of the architecture, with an eager body.

Frozen models (`edgebin.nn.freeze`) are written with these, and `edgebin.graph.export` turns each call into the ONNX op
of the same name. The eager bodies are what every other runtime is compared with: integers are exact, and where the
kernels say `fma` the body computes in float64 and rounds to the type of the result, which gives the bits of a fused
multiply-add but for about one case in 2**29 (two roundings, to 53 and then to 24 bits).

Floats are float32; float64 works too, for comparing models without rounding noise.
Source: kernels/include/edgebin.h, where each op's kernel is specified.
"""

from edgebin.nn.ops.attention import biased_attention, binary_attention, relative_attention
from edgebin.nn.ops.conv import binary_conv2d
from edgebin.nn.ops.linear import binary_linear, signed_linear, ternary_linear
from edgebin.nn.ops.rows import rprelu, sign_pack
from edgebin.nn.ops.stencil import STENCIL_OFFSETS, plus_stencil

__all__ = [
    "STENCIL_OFFSETS",
    "biased_attention",
    "binary_attention",
    "binary_conv2d",
    "binary_linear",
    "plus_stencil",
    "relative_attention",
    "rprelu",
    "sign_pack",
    "signed_linear",
    "ternary_linear",
]
