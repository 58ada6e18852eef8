"""The demo's trained networks, on the held-out digits."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import torch

from edgebin.models.checkpoint import read_checkpoint
from edgebin.models.registry import twin_config
from edgebin.nn.freeze import freeze

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture(scope="module")
def data() -> ModuleType:
    pytest.importorskip("sklearn")
    return importlib.import_module("examples.digits.data")


def test_no_test_image_is_trained_on(data: ModuleType) -> None:
    digits = data.load()
    trained = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in trained for image in digits.test_images)
    assert len(digits.test_images) == 450


@pytest.mark.parametrize("name", ["digits-binary", "digits-full-precision"])
def test_accuracy_of_both_forms(data: ModuleType, name: str) -> None:
    path = DIGITS / "checkpoints" / f"{name}.safetensors"
    assert path.stat().st_size <= 1_000_000
    module = read_checkpoint(path).module
    digits = data.load()
    with torch.inference_mode():
        trained, frozen = (m(torch.from_numpy(digits.test_images)).argmax(1) for m in (module, freeze(module)))
    assert torch.equal(trained, frozen)
    assert (trained.numpy() == digits.test_labels).mean() >= 0.97


def test_both_have_the_same_shape() -> None:
    binary, full = (
        read_checkpoint(DIGITS / "checkpoints" / f"digits-{name}.safetensors") for name in ("binary", "full-precision")
    )
    assert twin_config(binary.config) == full.config
