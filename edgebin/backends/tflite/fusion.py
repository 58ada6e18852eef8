"""What TF's converter does too: constants behind a product go into it, and activations into what they follow.

FULLY_CONNECTED | CONV_2D → MUL(gain)        →   the same with weights · gain
FULLY_CONNECTED | CONV_2D → ADD(bias)        →   the same with the bias
… | ADD | SUB | MUL → RELU                   →   the same with a fused RELU
"""

from __future__ import annotations

import numpy as np
import tflite

from edgebin.backends.tflite.graph import Array, Graph, Operator, Tensor

_PRODUCTS = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
_FUSED = "FusedActivationFunction"


def fold_into_products(graph: Graph, *, scales: bool) -> None:
    """Fold gains (if `scales`) and biases; a RESHAPE that keeps the channels may stand between."""
    readers, producers = graph.users(), graph.producers()
    for operator in list(graph.operators):
        if (operator.kind == "ADD" or (operator.kind == "MUL" and scales)) and _fold(
            graph, operator, readers, producers
        ):
            readers, producers = graph.users(), graph.producers()
    graph.remove_unused()


def _fold(
    graph: Graph, operator: Operator, readers: dict[Tensor, list[Operator]], producers: dict[Tensor, Operator]
) -> bool:
    for x, other in (operator.inputs, operator.inputs[::-1]):
        if x is None or other is None or other.data is None or x.shape != operator.outputs[0].shape:
            continue
        vector = channel_vector(other.data, x.shape[-1])
        product, y = producers.get(x), x
        while vector is not None and product and product.kind == "RESHAPE" and len(readers[y]) == 1:
            source = product.inputs[0]
            if source is None or source.shape[-1] != y.shape[-1] or y in graph.outputs:
                break
            y, product = source, producers.get(source)
        if vector is None or product is None or product.kind not in _PRODUCTS:
            continue
        if len(readers[y]) > 1 or y in graph.outputs or x in graph.outputs or product.options.get(_FUSED):
            continue
        if _absorb(graph, product, operator.kind, vector):
            graph.replace(operator.outputs[0], x)
            return True
    return False


def channel_vector(array: Array, channels: int) -> Array | None:
    """A constant that varies along the last axis only, as [channels]."""
    if array.size == 1:
        return np.full(channels, array.item(), array.dtype)
    if array.size == channels and array.shape[-1] == channels:
        return array.reshape(channels)
    return None


def _absorb(graph: Graph, product: Operator, kind: str, vector: Array) -> bool:
    x, weight, bias = (*product.inputs, None)[:3]
    if weight is None or weight.data is None or (bias is not None and bias.data is None):
        return False
    old = np.zeros(len(vector)) if bias is None or bias.data is None else bias.data.astype(np.float64)
    if kind == "ADD":
        new_weight, new_bias = weight, old + vector
    else:
        # The channels of a depthwise filter are its last axis, of the others their first.
        shape = (-1,) if product.kind == "DEPTHWISE_CONV_2D" else (-1, *[1] * (weight.data.ndim - 1))
        scaled = weight.data.astype(np.float64) * vector.astype(np.float64).reshape(shape)
        new_weight = graph.constant(weight.name, scaled.astype(np.float32))
        new_bias = old * vector
    has_bias = kind == "ADD" or bias is not None
    name = f"{product.node}.bias"
    product.inputs = [x, new_weight, graph.constant(name, new_bias.astype(np.float32)) if has_bias else None]
    return True


def fuse_activations(graph: Graph) -> None:
    """Let the operator before a RELU compute it."""
    producers, readers = graph.producers(), graph.users()
    for operator in list(graph.operators):
        x = operator.inputs[0]
        if operator.kind != "RELU" or x is None:
            continue
        before = producers.get(x)
        if before and before.kind in (*_PRODUCTS, "ADD", "SUB", "MUL") and len(readers[x]) == 1:
            before.options = {**before.options, _FUSED: tflite.ActivationFunctionType.RELU}
            graph.replace(operator.outputs[0], x)
    graph.remove_unused()
