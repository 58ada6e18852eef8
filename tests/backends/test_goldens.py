"""The authors' own logits at the end of the road: exported file in stock onnxruntime, and compiled module.

Only goldens that are called stable; the others are compared in float64 and block by block (tests/models).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch

import edgebin  # noqa: F401  (before onnxruntime)
from edgebin.graph.export import INPUT_NAME, OUTPUT_NAME, export_module
from edgebin.graph.runtimes import run_onnxruntime
from edgebin.kernels.select import host_paths
from edgebin.models.classifier import ImageClassifier
from edgebin.models.timm_config import DeiTConfig
from edgebin.nn.freeze import freeze
from edgebin.passes import lower
from tests.backends.test_tvm import build, run
from tests.golden import bivit, recipe
from tests.golden.bhvit import NETWORKS
from tests.golden.load import golden, published_model, recipe_model

pytestmark = pytest.mark.slow

DEIT_TINY = DeiTConfig(dims=(192,), heads=(3,), mlp_dims=(768,))
MODELS: dict[str, tuple[str, Callable[[], ImageClassifier]]] = {
    "reactdeit_small": ("logits_f64", lambda: published_model("reactdeit-small", golden("reactdeit_small"))),
    "binaryvit_small": ("logits_f64", lambda: published_model("binaryvit-small", golden("binaryvit_small"))),
    **{
        name: ("logits_f64", lambda name=name: recipe_model(NETWORKS[name], golden(name)))  # type: ignore[misc]
        for name in NETWORKS
    },
    "bivit_deit_tiny": ("logits_ideal_f64", lambda: bivit.recipe_model(DEIT_TINY)),
}


# Pixels that change by a millionth move these logits by 0.2 of their deviation, also in PyTorch: one sign flips, or
# does not, with the order of a few additions. What must stay is the answer.
MOVED_BY_NOISE = {"bhvit_tiny_somefp"}


@pytest.mark.parametrize("name", MODELS)
def test_authors_logits_at_the_end_of_the_road(name: str, tmp_path: Path) -> None:
    key, make = MODELS[name]
    expected, images = golden(name)[key], recipe.image()
    frozen = freeze(make())
    proto = export_module(frozen, torch.from_numpy(images))
    model = ir.from_proto(proto)
    lower(model, batch=2)
    results = {
        "onnxruntime": run_onnxruntime(proto, {INPUT_NAME: images}, [OUTPUT_NAME])[OUTPUT_NAME],
        "compiled": run(build(model, host_paths()[0], tmp_path).library, images),
    }
    for runtime, logits in results.items():
        difference = np.abs(logits - expected).max() / expected.std()
        print(f"{name}, {runtime}: {difference:.1e} of the logits' standard deviation")
        assert (logits.argmax(1) == expected.argmax(1)).all(), runtime
        assert difference <= 1e-4 or name in MOVED_BY_NOISE, runtime


@pytest.mark.parametrize("name", MOVED_BY_NOISE)
def test_noise_of_a_millionth_moves_them_in_pytorch_too(name: str) -> None:
    key, make = MODELS[name]
    expected, images, frozen = golden(name)[key], recipe.image(), freeze(make())
    random, moved = np.random.RandomState(0), []
    for _ in range(5):
        noisy = (images * (1 + 1e-6 * random.uniform(-1, 1, images.shape))).astype(np.float32)
        with torch.inference_mode():
            moved.append(np.abs(frozen(torch.from_numpy(noisy)).numpy() - expected).max() / expected.std())
    assert max(moved) > 1e-2
