"""The concept ops of the `edgebin` domain: the one list that exporter, accounting and passes read."""

from __future__ import annotations

from edgebin.graph.ops.biased_attention import BIASED_ATTENTION
from edgebin.graph.ops.binary_attention import BINARY_ATTENTION
from edgebin.graph.ops.binary_conv2d import BINARY_CONV2D
from edgebin.graph.ops.binary_linear import BINARY_LINEAR
from edgebin.graph.ops.concept import DOMAIN, DOMAIN_VERSION, OPSET, ConceptOp
from edgebin.graph.ops.plus_stencil import PLUS_STENCIL
from edgebin.graph.ops.products import PRODUCT_FUNCTIONS
from edgebin.graph.ops.relative_attention import RELATIVE_ATTENTION
from edgebin.graph.ops.rprelu import RPRELU
from edgebin.graph.ops.sign_pack import SIGN_PACK
from edgebin.graph.ops.signed_linear import SIGNED_LINEAR
from edgebin.graph.ops.ternary_linear import TERNARY_LINEAR
from edgebin.graph.ops.unpack import UNPACK_FUNCTIONS

HELPER_FUNCTIONS = (*UNPACK_FUNCTIONS, *PRODUCT_FUNCTIONS)

CONCEPT_OPS: dict[str, ConceptOp] = {
    op.name: op
    for op in (
        SIGN_PACK,
        BINARY_LINEAR,
        TERNARY_LINEAR,
        SIGNED_LINEAR,
        BINARY_CONV2D,
        BINARY_ATTENTION,
        RELATIVE_ATTENTION,
        BIASED_ATTENTION,
        RPRELU,
        PLUS_STENCIL,
    )
}

__all__ = [
    "CONCEPT_OPS",
    "DOMAIN",
    "DOMAIN_VERSION",
    "HELPER_FUNCTIONS",
    "OPSET",
    "ConceptOp",
]
