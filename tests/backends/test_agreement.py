"""One network in every runtime, at full size too: each gives the class that PyTorch gives, and its logits nearly.

`compile` makes bundles of it, as a user would; their files then run in all runtimes they are for.
"""

from __future__ import annotations

import importlib.util
import platform
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from edgebin.board import run_bundle
from edgebin.bundle import open_bundle, read_npz
from edgebin.models.checkpoint import save_checkpoint
from edgebin.models.registry import construct, resolve_config
from tests.backends.ort_models import Array, run
from tests.backends.tflite.runtimes import run_lce, run_with_delegate
from tests.road import KINDS, succeed

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits" / "checkpoints" / "digits-binary.safetensors"
# Of the standard deviation of the logits: runtimes order the sums of floats differently.
TOLERANCE = 1e-3

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 and runs the result"),
    *(
        pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")
        for package in ("larq_compute_engine", "tflite_runtime", "ai_edge_litert")
    ),
]


def checkpoint(name: str, folder: Path) -> Path:
    """The trained digits net, or a published system's configuration with random weights."""
    if name == "digits":
        return DIGITS
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = construct(resolve_config(name))
        # Fresh norms and thresholds are all alike; a trained network's are not.
        for parameter in network.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter) * parameter.data.abs().mean().clamp(min=0.01)
    save_checkpoint(folder / "net.safetensors", network)
    return folder / "net.safetensors"


@pytest.mark.parametrize("name", ["digits", "reactdeit-small", "bhvit-small"])
def test_every_runtime_gives_the_same_classes(name: str, tmp_path: Path, ort_library: Path) -> None:
    export = tmp_path / "export"
    succeed("export", checkpoint(name, tmp_path), "-o", export, "--samples", "2")
    images = read_npz(export / "golden" / "inputs.npz")["pixel_values"]
    want = read_npz(export / "golden" / "outputs.npz")["logits"].astype(np.float64)
    got: dict[str, Array] = {}
    files: dict[str, Path] = {}
    for kind in ("tvm", "ort", "tflite", "tflite lce"):
        path = tmp_path / f"{kind}.ebz"
        succeed("compile", export, "-t", "x86-64", *KINDS[kind], "-o", path)
        bundle = open_bundle(path)
        got[f"{kind} bundle"] = run_bundle(bundle, {"pixel_values": images})["logits"]
        files[kind] = bundle.extracted() / bundle.manifest.model_name

    compiled = onnx.load(files["ort"])
    rows = [image[None] for image in images]
    for title, library in (("with", ort_library), ("without", None)):
        results = [run(compiled, {"pixel_values": row}, library)[0] for row in rows]
        got[f"onnxruntime {title} library"] = np.concatenate(results)
    for kind in ("tflite", "tflite lce"):
        content = files[kind].read_bytes()
        for runtime in ("tflite_runtime", "litert"):
            results = [run_with_delegate(content, [row], runtime)[0] for row in rows]
            got[f"{kind} in {runtime}"] = np.concatenate(results)
    content = files["tflite lce"].read_bytes()
    got["LCE's interpreter"] = np.concatenate([run_lce(content, [row])[0].reshape(1, -1) for row in rows])

    for title, logits in got.items():
        np.testing.assert_array_equal(logits.argmax(-1), want.argmax(-1), err_msg=title)
        np.testing.assert_allclose(logits, want, rtol=0, atol=TOLERANCE * want.std(), err_msg=title)
