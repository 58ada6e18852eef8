"""Bundles of a really compiled module, one per target and session."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgebin.bundle import Bundle, Manifest, ModelInfo, TensorSpec, Tolerance, npz_bytes, open_bundle, write_bundle
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.runner import build_runner
from edgebin.toolchain.runtime import runtime_libraries
from tests.toolchain.tiny_module import BATCH, build_tiny_module, tiny_inputs, tiny_outputs

GOLDEN_ROWS = 10  # two full batches and a part of one


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundle]:
    """Gives the bundle for a target id."""
    folder = tmp_path_factory.mktemp("tiny")
    made: dict[str, Bundle] = {}

    def make(target_id: str) -> Bundle:
        if target_id not in made:
            made[target_id] = _make(target_id, folder / target_id)
        return made[target_id]

    return make


def _make(target_id: str, folder: Path) -> Bundle:
    target = load_target(target_id)
    if target.arch == "aarch64" and shutil.which("qemu-aarch64") is None:
        pytest.skip("no qemu-aarch64 on this machine")
    compiler, libraries = find_compiler(target), runtime_libraries(target, fetch=True)
    folder.mkdir()
    build_tiny_module(target, compiler, folder / "module.so")
    build_runner(target, compiler, libraries, folder / "runner")
    inputs = tiny_inputs(GOLDEN_ROWS)
    manifest = Manifest(
        edgebin="0",
        backend="tvm",
        runtimes=dict(libraries.versions),
        target=target,
        features=target.features,
        glibc="2.27",
        kernel_path="scalar",
        model=ModelInfo(id="tiny", source_sha256="0" * 64),
        batch=BATCH,
        inputs=(
            TensorSpec(name="pixel_values", dtype="float32", shape=(BATCH, 8)),
            TensorSpec(name="counts", dtype="int32", shape=(BATCH, 64)),
        ),
        outputs=(
            TensorSpec(name="logits", dtype="float32", shape=(BATCH, 5)),
            TensorSpec(name="doubled", dtype="int32", shape=(BATCH, 64)),
        ),
        tolerance=Tolerance(atol=1e-5, rtol=1e-5),
    )
    files: dict[str, Path | bytes] = {
        "module.so": folder / "module.so",
        "runner": folder / "runner",
        **{f"lib/{path.name}": path for path in libraries.paths},
        "golden/inputs.npz": npz_bytes(inputs),
        "golden/outputs.npz": npz_bytes(tiny_outputs(inputs)),
    }
    write_bundle(folder / "tiny.ebz", manifest, files)
    return open_bundle(folder / "tiny.ebz")
