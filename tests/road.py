"""A small network and what the commands make of it, made once with the commands themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from edgebin.cli import app
from edgebin.models.binaryvit import BinaryViT
from edgebin.models.checkpoint import save_checkpoint
from edgebin.models.config import BinaryViTConfig

CONFIG = BinaryViTConfig(
    image_size=16,
    patch_size=4,
    classes=10,
    depths=(1,),
    dims=(64,),
    heads=(2,),
    mlp_dims=(128,),
    class_token=False,
    average_windows=(3, 5),
    layer_scale=True,
)


def edgebin(*words: str | Path) -> Result:
    """Runs a command in this process."""
    return CliRunner().invoke(app, list(map(str, words)), prog_name="edgebin")


def succeed(*words: str | Path) -> Result:
    """Runs a command that has to succeed."""
    result = edgebin(*words)
    assert result.exit_code == 0, result.stderr
    return result


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `net.safetensors`, its export `net.export` and `net-x86-64.ebz`."""
    folder = tmp_path_factory.mktemp("road")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BinaryViT(CONFIG)
        # Fresh norms and thresholds are all alike; a trained network's are not.
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    save_checkpoint(folder / "net.safetensors", model)
    succeed("export", folder / "net.safetensors", "-o", folder / "net.export", "--samples", "2")
    succeed("compile", folder / "net.export", "-t", "x86-64", "-o", folder / "net-x86-64.ebz")
    return folder


# What `compile` makes of one export: by title (`Manifest.title`), the words that ask for it.
KINDS = {
    "tvm": (),
    "tvm fp32": ("--full-precision",),
    "ort": ("--backend", "ort"),
    "tflite": ("--backend", "tflite"),
    "tflite lce": ("--backend", "tflite", "--lce-only"),
    "tflite fp32": ("--backend", "tflite", "--full-precision"),
}


@pytest.fixture(scope="session")
def compiled(road: Path) -> Callable[[str], Path]:
    """The bundle of the small network of one of `KINDS`, for this host."""

    def make(title: str) -> Path:
        bundle = road / ("net-x86-64.ebz" if title == "tvm" else f"net-{title.replace(' ', '-')}.ebz")
        if not bundle.exists():
            succeed("compile", road / "net.export", "-t", "x86-64", *KINDS[title], "-o", bundle)
        return bundle

    return make
