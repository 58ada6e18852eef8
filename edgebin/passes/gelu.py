"""The exact GELU in ops that TVM can compile to vector code.

    Gelu(x)   →   x · (0.5 + 0.5 · Erf(x · √½))

TVM lowers Gelu to one call of erff per element; of an Erf on its own its FastMathTransform makes a polynomial. This
comes last: the products and the sum belong to one loop, not to kernel calls.
"""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from edgebin.passes.fused import add_constant, take_over


def expand_gelu(model: ir.Model) -> None:
    """Rewrite every Gelu that is not approximated by tanh."""
    graph = model.graph
    for node in list(graph):
        approximate = node.attributes["approximate"].as_string() if "approximate" in node.attributes else "none"
        if node.op_type != "Gelu" or node.domain or approximate != "none":
            continue
        x, name = node.inputs[0], node.name or "gelu"
        assert x is not None
        half = add_constant(graph, f"{name}.half", np.array(0.5, np.float32))
        root = add_constant(graph, f"{name}.root", np.array(math.sqrt(0.5), np.float32))
        nodes: list[ir.Node] = []
        value = x
        for op_type, others in (("Mul", [root]), ("Erf", []), ("Mul", [half]), ("Add", [half]), ("Mul", [x])):
            # The one that takes the time keeps the name.
            step = ir.node(op_type, [value, *others], name=name if op_type == "Erf" else f"{name}.{len(nodes)}")
            step.outputs[0].shape, step.outputs[0].type = x.shape, x.type
            nodes.append(step)
            value = step.outputs[0]
        node.append(nodes)
        take_over(value, node.outputs[0])
        graph.remove(node, safe=True)
