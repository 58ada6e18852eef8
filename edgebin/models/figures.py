"""What a network costs as its paper counts: parameters, 1-bit weights, OPs and size, without weights or a graph.

The training form runs once on the meta device, which computes shapes only. That form is what the papers count: BHViT's
computes an image's merge tokens once for each window, which the inference form does not. What an exported graph really
runs is `edgebin inspect`'s to say.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from edgebin.models.bhvit import BHViTLayer
from edgebin.models.bhvit_attention import WindowAttention
from edgebin.models.bhvit_twin import HybridLayer
from edgebin.models.binaryvit import BinaryViTLayer
from edgebin.models.config import ModelConfig
from edgebin.models.full_precision import ViTLayer
from edgebin.models.registry import construct
from edgebin.models.timm_attention import BinarySelfAttention as TimmBinarySelfAttention
from edgebin.models.timm_block import Block, Mlp
from edgebin.nn.conv import BinaryPatchConv
from edgebin.nn.dilated_conv import BinaryConv2d
from edgebin.nn.linear import BinaryLinear
from edgebin.nn.scaled_linear import ScaledBinaryLinear
from edgebin.nn.self_attention import BinarySelfAttention

# What is multiplied: ±1 with ±1, {-1, 0, +1} with ±1, floats with ±1, floats with floats.
Product = Literal["binary", "ternary", "1-bit weight", "full precision"]

# How many multiply-accumulates of each are one OP; edgebin/graph/accounting.py has the source, and counts so too.
MACS_PER_OP: dict[Product, int] = {"binary": 64, "ternary": 64, "1-bit weight": 2, "full precision": 1}
# Source: fvcore (Meta), `norm_flop_counter`. BiViT's paper does not name its counter, but all its OPs come out so.
_OPS_PER_NORMED_VALUE = 5

_SCALED_LINEAR: dict[str, Product] = {"sign": "binary", "ternary": "ternary", "float": "1-bit weight"}
_LAYERS = (BinaryViTLayer, BHViTLayer, ViTLayer, HybridLayer, Block)
_BINARY_LAYERS = (BinaryLinear, BinaryConv2d, BinaryPatchConv, ScaledBinaryLinear)
_BINARY_ATTENTIONS = (BinarySelfAttention, WindowAttention, TimmBinarySelfAttention)


@dataclass(frozen=True)
class ModelFigures:
    """One network, one image.

    Args:
        parameters: everything that is learned; 1-bit weights count as one each.
        binary_weights: weights that need one bit.
        binary_layer_vectors: biases and learned scales of the layers with 1-bit weights.
        full_precision_weights: float weights of dense layers and convolutions, without biases.
        normed_values: values that layer norms work on; batch norms are folded away.
        macs: multiply-accumulates of dense layers, convolutions and the two products of an attention.
    """

    parameters: int
    binary_weights: int
    binary_layer_vectors: int
    full_precision_weights: int
    normed_values: int
    macs: dict[Product, int]

    @property
    def bops(self) -> int:
        """Multiply-accumulates on bits alone; ternary ones count as binary."""
        return self.macs["binary"] + self.macs["ternary"]

    @property
    def flops(self) -> float:
        """Multiply-accumulates of floats; those with 1-bit weights count as half."""
        return self.macs["1-bit weight"] / MACS_PER_OP["1-bit weight"] + self.macs["full precision"]

    @property
    def ops(self) -> float:
        """BOPs / 64 + FLOPs."""
        return self.bops / MACS_PER_OP["binary"] + self.flops

    @property
    def ops_with_norms(self) -> float:
        """The same plus the layer norms, as BiViT's paper counts."""
        return self.ops + _OPS_PER_NORMED_VALUE * self.normed_values

    @property
    def packed_bytes(self) -> float:
        """Size of all parameters, 1-bit weights as bits and everything else as float32; a file adds its graph."""
        return self.binary_weights / 8 + 4 * (self.parameters - self.binary_weights)

    @property
    def half_packed_bytes(self) -> float:
        """`packed_bytes` with everything else as float16."""
        return self.binary_weights / 8 + 2 * (self.parameters - self.binary_weights)

    @property
    def weight_bytes(self) -> float:
        """Size as BHViT's counters have it: only weights of dense layers and convolutions, as bits or as float16."""
        return self.binary_weights / 8 + 2 * self.full_precision_weights

    @property
    def bytes_without_binary_vectors(self) -> float:
        """Size as BiViT's paper has it: `packed_bytes` without biases and scales of layers with 1-bit weights."""
        return self.packed_bytes - 4 * self.binary_layer_vectors

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        names = ("bops", "flops", "ops", "ops_with_norms", "packed_bytes", "half_packed_bytes", "weight_bytes")
        sums = {name: getattr(self, name) for name in (*names, "bytes_without_binary_vectors")}
        return dataclasses.asdict(self) | sums


@functools.cache
def figures_of(config: ModelConfig) -> ModelFigures:
    """The figures of the network that a config describes.

    The layers of a stage cost the same, so that one of each stage is built and counts as often as there are of them.
    """
    with torch.device("meta"):
        model = construct(dataclasses.replace(config, depths=(1,) * config.stages)).eval()
    layers = [module for module in model.modules() if isinstance(module, _LAYERS)]
    copies = dict.fromkeys(model.modules(), 1)
    for layer, depth in zip(layers, config.depths, strict=True):
        copies |= dict.fromkeys(layer.modules(), depth)

    counts: Counter[str] = Counter()
    for module, times in copies.items():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        counts["parameters"] += times * own
        if isinstance(module, _BINARY_LAYERS):
            counts["binary"] += times * module.weight.numel()
            counts["vectors"] += times * (own - module.weight.numel())
        elif isinstance(module, nn.Linear | nn.Conv2d):
            counts["dense"] += times * module.weight.numel()
    work = _Work(copies)
    work.run(model, torch.empty(1, config.channels, config.image_size, config.image_size, device="meta"))
    return ModelFigures(
        parameters=counts["parameters"],
        binary_weights=counts["binary"],
        binary_layer_vectors=counts["vectors"],
        full_precision_weights=counts["dense"],
        normed_values=work.normed_values,
        # The counter says two operations for each multiply-accumulate.
        macs={product: work.flops[product] // 2 for product in MACS_PER_OP},
    )


class _Work:
    """What one run does; a product belongs to the innermost module around it that `_product` knows.

    Args:
        copies: how often each module counts.
    """

    def __init__(self, copies: dict[nn.Module, int]) -> None:
        self.flops: Counter[Product] = Counter()
        self.normed_values = 0
        self._copies = copies
        self._counter = FlopCounterMode(display=False)
        self._charged = 0
        self._around: list[tuple[Product, int]] = [("full precision", 1)]

    def run(self, model: nn.Module, image: Tensor) -> None:
        with torch.inference_mode(), self._counter, self._hooks():
            model(image)
            self._charge()

    def _charge(self) -> None:
        """Puts what was multiplied since the last step in or out down to the module around it."""
        total = self._counter.get_total_flops()
        product, times = self._around[-1]
        self.flops[product] += times * (total - self._charged)
        self._charged = total

    def _step_in(self, module: nn.Module, arguments: tuple[Any, ...]) -> None:
        self._charge()
        self._around.append((_product(module) or self._around[-1][0], self._copies[module]))

    def _step_out(self, module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        self._charge()
        self._around.pop()
        if isinstance(module, nn.LayerNorm):
            self.normed_values += self._copies[module] * output.numel()

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        known = [module for module in self._copies if _product(module) or isinstance(module, (*_LAYERS, nn.LayerNorm))]
        handles = [module.register_forward_pre_hook(self._step_in) for module in known]
        handles += [module.register_forward_hook(self._step_out) for module in known]
        yield
        for handle in handles:
            handle.remove()


def _product(module: nn.Module) -> Product | None:
    """What a module multiplies where no module inside of it says otherwise."""
    if isinstance(module, ScaledBinaryLinear):
        return _SCALED_LINEAR[module.inputs]
    if isinstance(module, _BINARY_LAYERS + _BINARY_ATTENTIONS):
        return "binary"
    if isinstance(module, Mlp):
        return _product(module.fc2)  # which it may hand signs without calling it
    return None
