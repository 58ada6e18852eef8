"""The concept ops of the `edgebin` domain: the one list that exporter, accounting and passes read."""

from __future__ import annotations

from edgebin.graph.ops.binary_attention import BINARY_ATTENTION
from edgebin.graph.ops.binary_linear import BINARY_LINEAR
from edgebin.graph.ops.concept import DOMAIN, DOMAIN_VERSION, OPSET, ConceptOp
from edgebin.graph.ops.plus_stencil import PLUS_STENCIL
from edgebin.graph.ops.rprelu import RPRELU
from edgebin.graph.ops.sign_pack import SIGN_PACK
from edgebin.graph.ops.unpack import HELPER_FUNCTIONS

CONCEPT_OPS: dict[str, ConceptOp] = {
    op.name: op for op in (SIGN_PACK, BINARY_LINEAR, BINARY_ATTENTION, RPRELU, PLUS_STENCIL)
}

__all__ = [
    "CONCEPT_OPS",
    "DOMAIN",
    "DOMAIN_VERSION",
    "HELPER_FUNCTIONS",
    "OPSET",
    "ConceptOp",
]
