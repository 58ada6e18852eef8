"""Whether an exported file computes what the PyTorch model computes, in runtimes that know only standard ONNX.

Two runtimes round floats differently, a value within rounding error of its threshold may get another sign, and in some
networks one flipped sign changes every logit. So each layer is given the bits that PyTorch gave it: the result of every
SignPack is taken from PyTorch. Then all logits must agree, and a computed bit may differ from the given one only where
PyTorch's own value lies within rounding error of the threshold. End to end, differences are then due to such signs
alone; they are reported for each sample.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from edgebin.errors import VerificationError
from edgebin.graph.export import INPUT_NAME, OUTPUT_NAME
from edgebin.graph.golden import Golden
from edgebin.graph.ops import DOMAIN
from edgebin.graph.runtimes import Array, run_onnxruntime, run_reference

# How near to its threshold a value must be for its sign to be undecided, as a share of the tensor's largest magnitude.
_UNDECIDED = 1e-5

_GIVEN = "{}:given"


@dataclass(frozen=True)
class Agreement:
    """Largest absolute differences of logits from PyTorch's.

    Attributes:
        onnxruntime: end to end, for each golden sample.
        onnxruntime_given_bits: over all samples, every layer being given PyTorch's bits.
        reference_given_bits: the same for `onnx.reference`, on the first sample.
        undecided_bits: signs that fell to the other side, all of them within rounding error of their threshold.
    """

    onnxruntime: tuple[float, ...]
    onnxruntime_given_bits: float
    reference_given_bits: float
    undecided_bits: int


def verify_export(model: onnx.ModelProto, frozen: nn.Module, golden: Golden) -> Agreement:
    """Compares onnxruntime and `onnx.reference` with PyTorch.

    Raises:
        VerificationError: they disagree; `layer` is the first layer whose bits are wrong, if it is a layer of bits.
        ExportError: onnxruntime refuses the model.
    """
    recorder = _SignRecorder()
    with torch.inference_mode(), recorder:
        logits = frozen(torch.from_numpy(golden.inputs)).numpy()
    layered = _given_bits_model(model)
    signs = [node for node in layered.graph.node if _is_sign_pack(node)]
    calls = recorder.calls if len(signs) == len(recorder.calls) else _without_repetitions(recorder.calls)
    if len(signs) != len(calls):
        raise VerificationError(
            f"the graph packs signs {len(signs)} times, PyTorch {len(calls)} times", max_abs_diff=float("inf")
        )
    given = {_GIVEN.format(node.output[0]): call.bits.numpy() for node, call in zip(signs, calls, strict=True)}
    names = [OUTPUT_NAME, *(node.output[0] for node in signs)]
    computed = run_onnxruntime(layered, {INPUT_NAME: golden.inputs} | given, names)
    undecided = sum(_check_bits(node, call, computed[node.output[0]]) for node, call in zip(signs, calls, strict=True))
    samples = len(golden.inputs)
    first = {INPUT_NAME: golden.inputs[:1]} | {name: _of_first_sample(bits, samples) for name, bits in given.items()}
    reference = run_reference(layered, first, [OUTPUT_NAME])[OUTPUT_NAME]
    return Agreement(
        onnxruntime=_end_to_end(model, golden.inputs, logits),
        onnxruntime_given_bits=_compare("onnxruntime given bits", computed[OUTPUT_NAME], logits, golden.tolerance),
        reference_given_bits=_compare("onnx.reference given bits", reference, logits[:1], golden.tolerance),
        undecided_bits=undecided,
    )


@dataclass(frozen=True)
class _SignPackCall:
    x: torch.Tensor
    threshold: torch.Tensor
    bits: torch.Tensor


class _SignRecorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps operands and result of every `sign_pack` in the order of execution, which is the order of the graph."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[_SignPackCall] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.edgebin.sign_pack.default:
            self.calls.append(_SignPackCall(args[0], args[1], result))
        return result


def _without_repetitions(calls: list[_SignPackCall]) -> list[_SignPackCall]:
    """The first of the calls that have the same operands: the exporter merges equal nodes into their first one."""
    first: dict[tuple[object, ...], _SignPackCall] = {}
    for call in calls:
        data = (hashlib.sha256(tensor.numpy().tobytes()).digest() for tensor in (call.x, call.threshold))
        first.setdefault((call.x.shape, *data), call)
    return list(first.values())


def _is_sign_pack(node: onnx.NodeProto) -> bool:
    return node.domain == DOMAIN and node.op_type == "SignPack"


def _given_bits_model(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with each SignPack's readers reading a new graph input, and its result as a new graph output."""
    layered = onnx.ModelProto()
    layered.CopyFrom(model)
    graph = layered.graph
    packed = {node.output[0] for node in graph.node if _is_sign_pack(node)}
    for node in graph.node:
        node.input[:] = [_GIVEN.format(name) if name in packed else name for name in node.input]
    for value in graph.value_info:
        if value.name in packed:
            graph.output.append(value)
            given = graph.input.add()
            given.CopyFrom(value)
            given.name = _GIVEN.format(value.name)
    return layered


def _of_first_sample(bits: Array, samples: int) -> Array:
    """The rows of the first image; the batch may hold several windows of each image, one image after the other."""
    return bits[: len(bits) // samples]


def _check_bits(node: onnx.NodeProto, call: _SignPackCall, computed: Array) -> int:
    """Number of bits that differ; each must belong to a value that is undecided."""
    differing = np.unpackbits(computed ^ call.bits.numpy(), axis=-1, bitorder="little").astype(bool)
    if not differing.any():
        return 0
    x = call.x.numpy()
    distance = np.abs(x - call.threshold.numpy())
    allowed = _UNDECIDED * max(1.0, float(np.abs(x).max()))
    channels = x.shape[-1]
    wrong = differing[..., :channels] & (distance > allowed)
    if wrong.any() or differing[..., channels:].any():
        worst = float(distance[wrong].max()) if wrong.any() else 0.0
        raise VerificationError(
            f"onnxruntime and PyTorch disagree on {int(wrong.sum())} signs of `{node.name}`",
            max_abs_diff=worst,
            layer=node.name,
        )
    return int(differing.sum())


def _end_to_end(model: onnx.ModelProto, images: Array, expected: Array) -> tuple[float, ...]:
    logits = run_onnxruntime(model, {INPUT_NAME: images}, [OUTPUT_NAME])[OUTPUT_NAME]
    return tuple(np.abs(logits.astype(np.float64) - expected).max(axis=1).tolist())


def _compare(runtime: str, logits: Array, expected: Array, tolerance: float) -> float:
    if logits.shape != expected.shape:
        raise VerificationError(
            f"{runtime} gives logits of shape {logits.shape}, PyTorch {expected.shape}", max_abs_diff=float("inf")
        )
    difference = float(np.abs(logits.astype(np.float64) - expected).max())
    if not difference <= tolerance:  # also when it is NaN
        raise VerificationError(
            f"{runtime} and PyTorch disagree: logits differ by {difference:.3g}, allowed is {tolerance:.3g}",
            max_abs_diff=difference,
        )
    return difference
