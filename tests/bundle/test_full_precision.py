"""The twin that TVM compiles, as a baseline for boards that have no runtime of their own."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgebin.board import LocalMachine, invoke, run_bundle, verify_bundle
from edgebin.bundle import open_bundle
from edgebin.bundle.full_precision import full_precision_bundle
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME
from edgebin.bundle.source import twin_source
from edgebin.errors import InputError
from edgebin.graph.runtimes import run_onnxruntime
from edgebin.graph.twin import twin_model
from edgebin.models.own import OWN_MODEL_ID

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 and runs the result")
IMAGES = np.random.default_rng(5).standard_normal((3, 3, 16, 16), dtype=np.float32)

Compiled = Callable[[str], Path]


@pytest.fixture(scope="module")
def baseline(compiled: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("baseline") / "net-fp32.ebz"
    # Of a bundle of another backend: what is a baseline does not depend on it.
    result = full_precision_bundle(open_bundle(compiled("ort")), output, check=lambda path: _verify(path))
    assert result.random
    return output


def _verify(path: Path) -> None:
    verify_bundle(open_bundle(path))


def test_it_computes_what_onnxruntime_makes_of_the_twin(compiled: Compiled, baseline: Path) -> None:
    model = open_bundle(compiled("ort")).manifest.model
    twin = twin_model(model.id, model.config)
    (expected,) = run_onnxruntime(twin, {"pixel_values": IMAGES}, ["logits"]).values()
    logits = run_bundle(open_bundle(baseline), {"pixel_values": IMAGES})["logits"]
    assert expected.std() > 0.01
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_its_manifest_says_what_it_is(compiled: Compiled, baseline: Path) -> None:
    manifest, binary = open_bundle(baseline).manifest, open_bundle(compiled("tvm")).manifest
    assert manifest.title == "tvm fp32"
    assert (manifest.model.id, manifest.model.config) == (binary.model.id, binary.model.config)
    assert (manifest.target, manifest.batch, manifest.glibc) == (binary.target, binary.batch, "2.27")
    assert {operation.kind for operation in manifest.operations} >= {"f32_gemm", "layernorm"}


def test_every_layer_is_timed_under_the_name_of_its_node(baseline: Path) -> None:
    bundle = open_bundle(baseline)
    arguments = ["--input", str(bundle.extracted() / GOLDEN_INPUTS_NAME), "--per-op", "--min-runs", "1"]
    report = invoke(LocalMachine(), bundle, arguments)
    calls = {function.name: function.calls for function in report.functions or ()}
    operations = {operation.function: operation for operation in bundle.manifest.operations}
    assert operations.keys() <= calls.keys()
    kinds = {nodes: operation.kind for operation in operations.values() for nodes in operation.nodes}
    # The same modules as the binary network's, whose nodes are `….attention.attention.query.unit.linear` and so on.
    block = "vit.encoder.layer.0"
    for node, kind in {
        f"{block}.attention.attention.query.matmul": "f32_gemm",
        f"{block}.attention.attention.softmax": "softmax",
        f"{block}.attention.output.dense.matmul": "f32_gemm",
        f"{block}.intermediate.dense.matmul": "f32_gemm",
        f"{block}.gelu": "erf",
        f"{block}.output.dense.matmul": "f32_gemm",
        "vit.layernorm": "layernorm",
    }.items():
        assert kinds[node] == kind
    unnamed = {name for name in calls if name not in operations and not name.startswith("vm.builtin.")}
    assert not [name for name in unnamed if "matmul" in name or "softmax" in name or "conv" in name]


def test_a_twin_of_the_users_own_is_compiled(compiled: Compiled, tmp_path: Path) -> None:
    bundle = open_bundle(compiled("tvm"))
    twin = twin_model(bundle.manifest.model.id, bundle.manifest.model.config)
    for value in (*twin.graph.input, *twin.graph.output):
        old, value.name = value.name, f"my_{value.name}"
        for node in twin.graph.node:
            node.input[:] = [value.name if name == old else name for name in node.input]
            node.output[:] = [value.name if name == old else name for name in node.output]
    result = full_precision_bundle(bundle, tmp_path / "own.ebz", twin=twin, check=_verify)
    assert not result.random
    assert [spec.name for spec in result.manifest.outputs] == ["my_logits"]


def test_a_network_of_the_users_own_has_no_twin_that_we_know() -> None:
    with pytest.raises(InputError, match="full-precision"):
        twin_source(OWN_MODEL_ID, {}, {"pixel_values": IMAGES})
