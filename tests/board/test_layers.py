"""When outputs are wrong, the first wrong layer is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgebin.board import machine_for, verify_bundle
from edgebin.board.layers import compare_layers
from edgebin.bundle import npz_bytes, open_bundle, read_npz, write_bundle
from edgebin.bundle.layers import LAYERS_NAME
from edgebin.errors import VerificationError


def test_every_kernel_call_is_compared_and_agrees(road: Path) -> None:
    bundle = open_bundle(road / "net-x86-64.ebz")
    layers = compare_layers(bundle, machine_for(bundle))
    ours = [operation.function for operation in bundle.manifest.operations if operation.variant]
    assert [layer.function for layer in layers] == ours
    assert not [layer for layer in layers if layer.differing]


def test_the_first_layer_that_differs_is_named(road: Path, tmp_path: Path) -> None:
    whole = open_bundle(road / "net-x86-64.ebz")
    files: dict[str, Path | bytes] = {name: whole.extracted() / name for name in whole.manifest.files}
    layers, outputs = read_npz(whole.extracted() / LAYERS_NAME), read_npz(whole.extracted() / "golden/outputs.npz")
    wrong = [operation for operation in whole.manifest.operations if operation.kind == "b1_gemm"][1:3]
    for operation in wrong:
        layers[operation.function] = layers[operation.function] + np.eye(1, layers[operation.function].size)[0]
    files[LAYERS_NAME] = npz_bytes(layers)
    files["golden/outputs.npz"] = npz_bytes({name: array + np.float32(1) for name, array in outputs.items()})
    write_bundle(tmp_path / "wrong.ebz", whole.manifest, files)
    with pytest.raises(VerificationError, match=wrong[0].nodes[0].replace(".", r"\.")) as caught:
        verify_bundle(open_bundle(tmp_path / "wrong.ebz"))
    assert caught.value.layer == wrong[0].nodes[0]
