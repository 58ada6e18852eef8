"""Compiled modules: every kernel path of this host computes the same bits, and what the exported file says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from elftools.elf.elffile import ELFFile

import edgebin  # noqa: F401  (before onnxruntime)
from edgebin.backends.tvm import CompiledModule, build_module
from edgebin.errors import UnsupportedOp
from edgebin.graph.export import export_module
from edgebin.kernels.choose import Choose, always
from edgebin.kernels.probe import probe_program
from edgebin.kernels.select import host_paths
from edgebin.kernels.shape import CallShape
from edgebin.kernels.variants import Variant, find_variant, variants
from edgebin.models.config import BinaryViTConfig
from edgebin.nn.freeze import freeze
from edgebin.passes import choose_kernels, lower
from edgebin.passes.node_call import is_kernel_call, node_call
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler
from tests.passes.graphs import parse
from tests.passes.test_lower import random_net

CONFIG = BinaryViTConfig(
    image_size=32, patch_size=4, classes=5, depths=(1, 1), dims=(64, 128), heads=(2, 2), mlp_dims=(128, 512),
    reductions=(2, 1), class_token=False, stem_norm=True, average_windows=(3, 5), layer_scale=True,
)  # fmt: skip


def build(model: ir.Model, path: str, folder: Path, choose: Choose | None = None) -> CompiledModule:
    target = load_target("x86-64")
    library = folder / f"{path}.so"
    choose_kernels(model, choose or always(path), cores=target.cores)
    return build_module(ir.to_proto(model), target, compiler=find_compiler(target), output=library)


def run(library: Path, images: np.ndarray) -> np.ndarray:
    import tvm
    from tvm import relax

    machine = relax.VirtualMachine(tvm.runtime.load_module(str(library)), tvm.cpu())
    return machine["main"](tvm.runtime.tensor(images)).numpy()


@pytest.fixture(scope="module")
def net() -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    frozen = freeze(random_net(CONFIG))
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        logits = frozen(images)
    return export_module(frozen, images), images.numpy(), logits.numpy()


@pytest.fixture(scope="module")
def compiled(net, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CompiledModule]:
    folder = tmp_path_factory.mktemp("modules")
    modules = {}
    for path in host_paths():
        model = ir.from_proto(net[0])
        lower(model, batch=2)
        modules[path] = build(model, path, folder)
    return modules


def test_module_computes_what_pytorch_computes(net, compiled: dict[str, CompiledModule]) -> None:
    _, images, logits = net
    for module in compiled.values():
        np.testing.assert_allclose(run(module.library, images), logits, rtol=0, atol=2e-4 * logits.std())


def test_all_paths_give_the_same_bits(net, compiled: dict[str, CompiledModule]) -> None:
    results = {path: run(module.library, net[1]) for path, module in compiled.items()}
    for path, result in results.items():
        np.testing.assert_array_equal(result, results["scalar"], err_msg=path)


def test_paths_mix_and_only_kernels_that_are_called_are_linked(net, compiled, tmp_path: Path) -> None:
    asked: list[CallShape] = []

    def choose(call: CallShape) -> Variant:
        asked.append(call)
        return always(host_paths()[len(asked) % len(host_paths())])(call)

    model = ir.from_proto(net[0])
    lower(model, batch=2)
    mixed = build(model, "mixed", tmp_path, choose)
    np.testing.assert_array_equal(run(mixed.library, net[1]), run(compiled["scalar"].library, net[1]))
    used = {
        (node_call(node).shape.kernel, node.attributes["variant"].as_string())
        for node in model.graph
        if is_kernel_call(node)
    }
    called = {find_variant(op, path).symbol for op, path in used}
    assert len({path for _, path in used}) == len(host_paths())
    with mixed.library.open("rb") as stream:
        symbols = {symbol.name for symbol in ELFFile(stream).get_section_by_name(".dynsym").iter_symbols()}
    assert {variant.symbol for variant in variants()} & symbols == called
    # The probe can time what was asked: that is how `--tune` chooses.
    target = load_target("x86-64")
    probe = probe_program(target, find_compiler(target))
    for call in dict.fromkeys(asked):
        done = subprocess.run([probe, *call.arguments("scalar", "1")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{call}: {done.stderr}"


def test_calls_name_their_nodes(compiled: dict[str, CompiledModule]) -> None:
    calls = compiled["scalar"].calls
    query = next(node for name, node in calls.items() if "layer_1_attention_attention_query" in name)
    assert "layer.1.attention.attention.query" in query
    assert f"int32_t {next(iter(calls))}(" in compiled["scalar"].glue


def test_op_that_nobody_can_lower_is_named(tmp_path: Path) -> None:
    model = parse("g (float[2, 4] x) => (float[2, 4] y) { y = Unheard(x) }")
    with pytest.raises(UnsupportedOp, match="Unheard"):
        build(model, "scalar", tmp_path)
    assert not list(tmp_path.iterdir())
