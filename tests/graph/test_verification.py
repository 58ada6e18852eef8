"""Verification of layers that no single published system combines: windows, ternary inputs, convolutions on bits."""

import math

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from edgebin.errors import VerificationError
from edgebin.graph.accounting import inspect_model
from edgebin.graph.costs import Kind
from edgebin.graph.export import export_module
from edgebin.graph.golden import Golden, make_golden
from edgebin.graph.ops import CONCEPT_OPS, DOMAIN
from edgebin.graph.verification import verify_export
from edgebin.nn.packing import pack_bits

SIDE, WINDOW, HEADS, HEAD_DIM, HIDDEN, CLASSES = 8, 4, 2, 8, 40, 5
DIM = HEADS * HEAD_DIM
WINDOWS = (SIDE // WINDOW) ** 2
TOKENS = WINDOW**2
GROUPS, KERNEL = 4, 3


class Layer(nn.Module):
    """1-bit weights, scale and bias of a layer, drawn at random."""

    weight: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, k: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight", pack_bits(torch.rand(outputs, k) < 0.5))
        self.register_buffer("scale", torch.randn(outputs) / math.sqrt(k))
        self.register_buffer("bias", torch.randn(outputs))

    def constants(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.weight, self.scale, self.bias


class Network(nn.Module):
    """Every op that BinaryViT lacks, as the systems that have them use it.

    Images [B, 3, 8, 8] become four windows of 16 tokens each. Bits are taken before the windows are cut, and go through
    reshapes and transpositions on their way to attention and convolution. Both planes of the ternary layer come from
    one tensor, whose thresholds differ.
    """

    zero: Tensor
    one_half: Tensor
    position: Tensor
    attention_scale: Tensor
    margin: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(3, DIM)
        self.register_buffer("zero", torch.zeros(DIM))
        self.register_buffer("one_half", torch.full((DIM,), 0.5))
        self.register_buffer("position", torch.randn(WINDOWS, HEADS, TOKENS, TOKENS))
        self.register_buffer("attention_scale", torch.tensor([HEAD_DIM**-0.5]))
        self.register_buffer("margin", torch.tensor([math.log(4)]))
        self.mix = Layer(KERNEL**2 * DIM // GROUPS, DIM)
        self.proj = Layer(DIM, DIM)
        self.fc1 = Layer(DIM, HIDDEN)
        self.fc2 = Layer(HIDDEN, DIM)
        self.head = nn.Linear(DIM, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        ops = torch.ops.edgebin
        x = self.stem(images.permute(0, 2, 3, 1))  # [B, 8, 8, DIM]
        bits = ops.sign_pack(x, self.zero)
        split = bits.reshape(-1, SIDE // WINDOW, WINDOW, SIDE // WINDOW, WINDOW, bits.shape[-1])
        tokens = split.permute(0, 1, 3, 2, 4, 5).reshape(-1, TOKENS, bits.shape[-1])
        context = ops.biased_attention(
            tokens, tokens, tokens, self.position, self.attention_scale, self.margin, HEADS, HEAD_DIM
        )
        context = (context + ops.relative_attention(tokens, tokens, tokens, HEADS, HEAD_DIM, 1)).float()
        negative, not_positive = (ops.sign_pack(context, threshold) for threshold in (self.zero, self.one_half))
        windows = ops.ternary_linear(negative, not_positive, *self.proj.constants(), DIM)
        mixed = ops.binary_conv2d(bits.flatten(1, 2).reshape(bits.shape), *self.mix.constants(), KERNEL, 2, GROUPS, DIM)
        features = windows.reshape(-1, WINDOWS * TOKENS, DIM) + mixed.flatten(1, 2)
        hidden = nn.functional.gelu(ops.signed_linear(features, *self.fc1.constants(), DIM))
        features = features + ops.signed_linear(hidden, *self.fc2.constants(), HIDDEN)
        logits: Tensor = self.head(features.mean(1))
        return logits


@pytest.fixture(scope="module")
def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return Network().eval()


@pytest.fixture(scope="module")
def golden(network: nn.Module) -> Golden:
    return make_golden(network, (3, SIDE, SIDE), samples=3, seed=0)


@pytest.fixture(scope="module")
def model(network: nn.Module) -> onnx.ModelProto:
    return export_module(network, torch.zeros(2, 3, SIDE, SIDE))


def test_windows_ternary_planes_and_reshaped_bits_are_verified(
    model: onnx.ModelProto, network: nn.Module, golden: Golden
) -> None:
    agreement = verify_export(model, network, golden)
    assert 0 < agreement.onnxruntime_given_bits <= golden.tolerance
    assert 0 < agreement.reference_given_bits <= golden.tolerance
    used = {node.op_type for node in model.graph.node if node.domain == DOMAIN}
    assert used == set(CONCEPT_OPS) - {"BinaryLinear", "BinaryAttention", "RPReLU", "PlusStencil"}


@pytest.mark.parametrize(
    "constant", ["one_half", "position", "margin", "mix.weight", "proj.weight", "proj.scale", "fc1.weight", "fc2.bias"]
)
def test_a_wrong_constant_of_the_new_layers_is_caught(
    constant: str, model: onnx.ModelProto, network: nn.Module, golden: Golden
) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(model)
    tensor = next(tensor for tensor in broken.graph.initializer if tensor.name == constant)
    array = onnx.numpy_helper.to_array(tensor)
    wrong = array * 3 if array.size == 1 or np.ptp(array) == 0 else array[::-1].copy()
    tensor.CopyFrom(onnx.numpy_helper.from_array(wrong, constant))
    with pytest.raises(VerificationError):
        verify_export(broken, network, golden)


def test_each_kind_of_product_is_counted_as_such(model: onnx.ModelProto) -> None:
    report = inspect_model(model, 2)
    pixels = 2 * SIDE**2
    assert report.ternary_macs == pixels * DIM * DIM
    assert report.one_bit_weight_macs == pixels * 2 * DIM * HIDDEN
    convolution = pixels * DIM * KERNEL**2 * DIM // GROUPS
    attention = 2 * WINDOWS * 2 * TOKENS * TOKENS * DIM  # scores and map · values
    assert report.binary_macs == convolution + 2 * attention
    assert report.full_precision_macs == pixels * 3 * DIM + 2 * DIM * CLASSES
    bits = report.binary_macs + report.ternary_macs
    assert report.ops == bits / 64 + report.one_bit_weight_macs / 2 + report.full_precision_macs
    assert report.binary_weights == DIM * KERNEL**2 * DIM // GROUPS + DIM * DIM + 2 * DIM * HIDDEN
    assert {node.kind for node in report.nodes} == set(Kind)
    reasons = {node.op: node.reason for node in report.nodes}
    assert "sgn(0) = 0" in reasons["edgebin:TernaryLinear"]
    assert "W1A32" in reasons["edgebin:SignedLinear"]
    assert reasons["edgebin:BinaryConv2d"] == reasons["edgebin:BiasedAttention"] == ""


class Untrained(nn.Module):
    """Query, key and value whose moves are all zero still: the exporter makes their three sign packs one."""

    def __init__(self) -> None:
        super().__init__()
        self.moves = nn.ParameterList(torch.zeros(3) for _ in range(3))
        self.layers = nn.ModuleList(Layer(3, CLASSES) for _ in range(3))

    def forward(self, images: Tensor) -> Tensor:
        ops = torch.ops.edgebin
        pixels = images.flatten(2).transpose(1, 2)
        parts = [
            ops.binary_linear(ops.sign_pack(pixels, move), layer.weight, layer.scale, layer.bias, 3)
            for move, layer in zip(self.moves, self.layers, strict=True)
        ]
        return torch.stack(parts).sum(0).mean(1)


def test_equal_signs_that_the_exporter_merges_are_verified() -> None:
    network = Untrained().requires_grad_(False).eval()
    model = export_module(network, torch.zeros(2, 3, SIDE, SIDE))
    assert [node.op_type for node in model.graph.node].count("SignPack") == 1
    images = make_golden(network, (3, SIDE, SIDE), samples=2, seed=0)
    assert verify_export(model, network, images).undecided_bits == 0
