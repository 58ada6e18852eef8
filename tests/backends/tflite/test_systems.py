"""Small networks of every system, and the digits net, in all forms of file and all runtimes, against PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import tflite
import torch

import edgebin  # noqa: F401  (before onnxruntime)
from edgebin.backends.tflite.models import TfliteModel, build_float_model, build_lce_model, build_model
from edgebin.graph.export import INPUT_NAME, OUTPUT_NAME, export_module
from edgebin.graph.runtimes import run_onnxruntime
from edgebin.models.checkpoint import read_checkpoint
from edgebin.models.registry import construct, twin_config
from edgebin.nn.freeze import freeze
from edgebin.passes import lower
from tests.backends.test_systems import NETS
from tests.backends.test_tvm import CONFIG as BINARYVIT
from tests.backends.tflite.runtimes import DELEGATED, LCE_RUNTIMES, RUNTIMES, parameters
from tests.passes.test_lower import random_net

BATCH = 2
DIGITS = Path(__file__).parents[3] / "examples" / "digits" / "checkpoints" / "digits-binary.safetensors"
SYSTEMS = {**NETS, "binaryvit": BINARYVIT}
# An export of the others takes ten seconds and more.
QUICK = {"bivit deit", "binaryvit", "digits"}


def names(*more: str) -> list[Any]:
    marks = {name: [] if name in QUICK else [pytest.mark.slow] for name in (*SYSTEMS, *more)}
    return [pytest.param(name, marks=mark) for name, mark in marks.items()]


# Where no sign flips, rounding is all that differs.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Case:
    """An exported network, images, and what PyTorch makes of them."""

    proto: onnx.ModelProto
    images: np.ndarray
    logits: np.ndarray


@cache
def binary(name: str) -> Case:
    torch.manual_seed(3)
    if name == "digits":
        loaded = read_checkpoint(DIGITS)
        return exported(freeze(loaded.module), loaded.config.channels, loaded.config.image_size)
    config = SYSTEMS[name]
    network = random_net(BINARYVIT) if name == "binaryvit" else construct(config)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return exported(freeze(network.eval()), config.channels, config.image_size)


@cache
def twin(name: str) -> Case:
    torch.manual_seed(3)
    config = twin_config(SYSTEMS[name])
    return exported(construct(config).eval(), config.channels, config.image_size)


def exported(module: torch.nn.Module, channels: int, size: int) -> Case:
    images = torch.randn(BATCH, channels, size, size)
    with torch.no_grad():
        logits = module(images).numpy()
    return Case(export_module(module, images), images.numpy(), logits)


@cache
def written(name: str, form: str) -> TfliteModel:
    if form == "float":
        return build_float_model(ir.from_proto(twin(name).proto), BATCH)
    model = ir.from_proto(binary(name).proto)
    if form == "lce":
        return build_lce_model(model, BATCH)
    lower(model, batch=BATCH, backend="tflite")
    return build_model(model)


@cache
def stock(name: str, form: str) -> np.ndarray:
    case = twin(name) if form == "float" else binary(name)
    return run_onnxruntime(case.proto, {INPUT_NAME: case.images}, [OUTPUT_NAME])[OUTPUT_NAME]


def check(name: str, form: str, run) -> None:
    case = twin(name) if form == "float" else binary(name)
    (got,) = run(written(name, form).content, [case.images])
    for want in (case.logits, stock(name, form)):
        np.testing.assert_array_equal(got.argmax(1), want.argmax(1))
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * case.logits.std())


@pytest.mark.parametrize("run", parameters(LCE_RUNTIMES, DELEGATED))
@pytest.mark.parametrize("name", names("digits"))
def test_with_the_ops_of_lce_alone(name: str, run) -> None:
    assert not [operator for operator in written(name, "lce").operators if operator.kind.startswith("Edgebin")]
    check(name, "lce", run)


@pytest.mark.parametrize("run", parameters(DELEGATED))
@pytest.mark.parametrize("name", names("digits"))
def test_with_the_ops_of_edgebin(name: str, run) -> None:
    check(name, "edgebin", run)


@pytest.mark.parametrize("run", parameters(RUNTIMES, LCE_RUNTIMES))
@pytest.mark.parametrize("name", names())
def test_full_precision_twin(name: str, run) -> None:
    check(name, "float", run)


@pytest.mark.parametrize("name", names())
def test_filters_are_constants(name: str) -> None:
    """LCE packs a filter once and keeps it: with activations as a filter it is wrong from the second run on."""
    model = tflite.Model.GetRootAs(written(name, "lce").content)
    graph = model.Subgraphs(0)
    operators = [graph.Operators(index) for index in range(graph.OperatorsLength())]
    convolutions = [
        operator for operator in operators if model.OperatorCodes(operator.OpcodeIndex()).CustomCode() == b"LceBconv2d"
    ]
    assert convolutions
    for operator in convolutions:
        _, *constants = [graph.Tensors(index) for index in operator.InputsAsNumpy() if index >= 0]
        assert all(model.Buffers(tensor.Buffer()).DataLength() for tensor in constants)


def test_a_layer_of_the_twin_is_as_few_operators_as_it_takes() -> None:
    """The baseline has to be quick: an operator more per layer is a regression."""
    kinds = [operator.kind for operator in written("bivit deit", "float").operators]
    assert kinds.count("FULLY_CONNECTED") == 4 * len(NETS["bivit deit"].depths) * 2 + 1
    assert kinds.count("TRANSPOSE") <= 1 + 4 * 2
    assert kinds.count("GELU") == 2
    # Every bias is in its product: what is left are residuals, position embeddings and norms.
    assert kinds.count("ADD") == 2 * 2 + 1 + 5 * 2
