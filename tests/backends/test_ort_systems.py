"""Small networks of every system in onnxruntime: as exported and as compiled, with our library and without."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch

import edgebin.onnxruntime

# isort: split
import onnxruntime

from edgebin.backends.ort import optimised_model
from edgebin.graph.export import export_module
from edgebin.kernels.choose import by_model
from edgebin.kernels.select import host_paths
from edgebin.models.checkpoint import read_checkpoint
from edgebin.models.config import ModelConfig
from edgebin.models.registry import construct
from edgebin.nn.freeze import freeze
from edgebin.passes import choose_kernels, lower
from edgebin.targets import load_target
from tests.backends.ort_models import run
from tests.backends.test_systems import NETS
from tests.backends.test_tvm import CONFIG

ALL: dict[str, ModelConfig] = {**NETS, "binaryvit": CONFIG}
BATCH, DIGITS = 2, 40
CHECKPOINT = Path(__file__).parents[2] / "examples" / "digits" / "checkpoints" / "digits-binary.safetensors"


def compiled(proto: onnx.ModelProto, batch: int = BATCH) -> onnx.ModelProto:
    target, lowered = load_target("x86-64"), ir.from_proto(proto)
    lower(lowered, batch=batch, backend="ort")
    choose_kernels(lowered, by_model(host_paths(), target.core), cores=target.cores)
    return optimised_model(lowered)


@cache
def exported(config: ModelConfig) -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    torch.manual_seed(3)
    network = construct(config)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    frozen = freeze(network.eval())
    images = torch.randn(BATCH, 3, config.image_size, config.image_size)
    with torch.no_grad():
        logits = frozen(images).numpy()
    return export_module(frozen, images), images.numpy(), logits


@cache
def compiled_net(name: str) -> bytes:
    return compiled(exported(ALL[name])[0]).SerializeToString()


@pytest.mark.parametrize("name", ALL)
def test_networks_compute_what_pytorch_computes(name: str, ort_library: Path) -> None:
    proto, images, logits = exported(ALL[name])
    model = onnx.load_from_string(compiled_net(name))
    feeds = {"pixel_values": images}
    for file in (proto, model):
        for library in (ort_library, None):
            [got] = run(file, feeds, library)
            np.testing.assert_array_equal(got.argmax(-1), logits.argmax(-1))
            # Where no sign flips, rounding is all that differs.
            np.testing.assert_allclose(got, logits, rtol=0, atol=1e-3 * logits.std())
    # Our nodes give the same bits for any number of threads (test_ort.py); onnxruntime's ReduceMean does not.
    [one], [three] = (run(model, feeds, ort_library, threads=threads) for threads in (1, 3))
    np.testing.assert_allclose(three, one, rtol=0, atol=1e-5 * logits.std())


@pytest.mark.parametrize("name", ALL)
def test_files_that_leave_out_types_and_shapes_compute_the_same(name: str, ort_library: Path) -> None:
    """Without fusions: of its own ops, onnxruntime fuses fewer where a symbolic size has lost its name."""
    proto, images, _ = exported(ALL[name])
    for model in (proto, onnx.load_from_string(compiled_net(name))):
        bare = onnx.ModelProto()
        bare.CopyFrom(model)
        del bare.graph.value_info[:]
        for output in bare.graph.output:
            output.ClearField("type")
        feeds = {"pixel_values": images}
        [want], [got] = (run(file, feeds, ort_library, fusions=False) for file in (model, bare))
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ALL)
def test_attention_is_exact_with_and_without_the_library(name: str, ort_library: Path) -> None:
    """The integers of every attention, given the same bits: those that the kernels made."""
    _, images, _ = exported(ALL[name])
    model = onnx.load_from_string(compiled_net(name))
    attentions = [node for node in model.graph.node if node.op_type.endswith("Attention")]
    assert attentions
    kinds = {value.name: value for value in (*model.graph.value_info, *model.graph.input)}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    wanted = dict.fromkeys(name for node in attentions for name in (*node.input, *node.output) if name not in constants)
    model.graph.output.extend(kinds[name] for name in wanted)
    values = dict(zip(wanted, run(model, {"pixel_values": images}, ort_library)[1:], strict=True))
    for node in attentions:
        alone = onnx.ModelProto()
        alone.CopyFrom(model)
        del alone.graph.node[:], alone.graph.input[:], alone.graph.output[:], alone.graph.initializer[:]
        del alone.graph.value_info[:]
        alone.graph.node.append(node)
        alone.graph.output.append(kinds[node.output[0]])
        alone.graph.input.extend(kinds[name] for name in dict.fromkeys(node.input) if name not in constants)
        alone.graph.initializer.extend(constants[name] for name in dict.fromkeys(node.input) if name in constants)
        [context] = run(alone, values, None)
        np.testing.assert_array_equal(context, values[node.output[0]])


@pytest.mark.parametrize("name", ALL)
def test_every_op_of_ours_runs_on_our_kernels(name: str, ort_library: Path, tmp_path: Path) -> None:
    """As onnxruntime's own profiler says, which is where users look for the latency of a layer."""
    _, images, _ = exported(ALL[name])
    model = onnx.load_from_string(compiled_net(name))
    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
    edgebin.onnxruntime.register(options, ort_library)
    made = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    made.run(None, {"pixel_values": images})
    events = json.loads(Path(made.end_profiling()).read_text())
    ran = Counter(event["args"]["op_name"] for event in events if event.get("name", "").endswith("_kernel_time"))
    ours = Counter(node.op_type for node in model.graph.node if node.domain == "edgebin")
    assert ours
    assert {op: ran[op] for op in ours} == dict(ours)


def test_the_digits_network_classifies_alike(ort_library: Path) -> None:
    """On held-out digits, as many as PyTorch takes a second for."""
    data = pytest.importorskip("examples.digits.data", reason="scikit-learn is not installed")
    images = torch.from_numpy(data.load().test_images[:DIGITS])
    frozen = freeze(read_checkpoint(CHECKPOINT).module.eval())
    with torch.no_grad():
        classes = frozen(images).argmax(-1).numpy()
    assert len(set(classes)) >= 8
    proto = export_module(frozen, images[:BATCH])
    for file in (proto, compiled(proto, batch=DIGITS)):
        for library in (ort_library, None):
            [got] = run(file, {"pixel_values": images.numpy()}, library)
            np.testing.assert_array_equal(got.argmax(-1), classes)
        [named] = run(file, {"pixel_values": images.numpy()}, ort_library)
        del file.graph.value_info[:]
        [inferred] = run(file, {"pixel_values": images.numpy()}, ort_library)
        np.testing.assert_array_equal(inferred, named)
