"""BiViT against what the authors' code computes, and its Swin and NesT against their definition.

`tests/models/test_parity.py` says why logits are compared in float64, and float32 block by block. The authors published
no Swin and no NesT: there the reference is the full-precision network's own definition, written down once more here
with PyTorch's convolution, pooling and rolling.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebin.models.timm_config import DeiTConfig, MlpMode, NesTConfig, SwinConfig, TimmConfig
from edgebin.models.timm_nest import ConvPool
from edgebin.models.timm_swin import PatchMerging, from_windows, shift_mask, to_windows
from edgebin.nn.freeze import freeze
from tests.golden import recipe
from tests.golden.bivit import micro_model, recipe_model
from tests.golden.load import distance, golden
from tests.nn.test_inference_forms import randomise, tokens

TINY = DeiTConfig(dims=(192,), heads=(3,), mlp_dims=(768,))
NETWORKS: dict[str, TimmConfig] = {
    "bivit_deit_tiny": TINY,
    "bivit_deit_tiny_w1a1mlp": DeiTConfig(dims=(192,), heads=(3,), mlp_dims=(768,), mlp="w1a1_ste"),
    "bivit_deit_tiny_baseline": DeiTConfig(
        dims=(192,), heads=(3,), mlp_dims=(768,), attention="baseline", mlp="w1a1_ste"
    ),
}
# Those on which the authors' float32 agrees with their float64.
STABLE = ["bivit_deit_tiny", "bivit_deit_tiny_baseline"]
MICRO: dict[str, MlpMode] = {"bivit_micro_pws_w1a32mlp": "w1a32_pws", "bivit_micro_w1a1mlp": "w1a1_ste"}
SWIN = SwinConfig(
    image_size=32, classes=5, depths=(2, 2), dims=(32, 64), heads=(2, 4), mlp_dims=(64, 128), window=4
)  # fmt: skip
NEST = NesTConfig(image_size=32, classes=5, depths=(1, 2), dims=(32, 64), heads=(2, 4), mlp_dims=(64, 128))


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_in_float64(name: str) -> None:
    arrays = golden(name)
    with torch.inference_mode():
        logits = recipe_model(NETWORKS[name]).double()(torch.from_numpy(recipe.image()).double())
    assert distance(logits, arrays.get("logits_ideal_f64", arrays["logits_f64"])) <= 1e-9


@pytest.mark.parametrize("form", ["training", "inference"])
@pytest.mark.parametrize("name", STABLE)
def test_logits_in_float32(name: str, form: Literal["training", "inference"]) -> None:
    arrays = golden(name)
    model: nn.Module = recipe_model(NETWORKS[name])
    with torch.inference_mode():
        logits = (freeze(model) if form == "inference" else model)(torch.from_numpy(recipe.image()))
    assert (logits.argmax(1).numpy() == arrays["logits_f64"].argmax(1)).all()
    assert distance(logits, arrays["logits_f64"]) <= 2e-5


@pytest.mark.parametrize("name", MICRO)
def test_micro_logits(name: str) -> None:
    arrays = golden(name)
    model = micro_model(arrays, MICRO[name])
    images = torch.from_numpy(arrays["x"])
    with torch.inference_mode():
        assert distance(freeze(model)(images), arrays["logits_f64"]) <= 2e-5
        assert distance(model(images), arrays["logits_f64"]) <= 2e-5
        assert distance(model.double()(images.double()), arrays["logits_f64"]) <= 1e-9


@pytest.mark.parametrize("form", ["training", "inference"])
@pytest.mark.parametrize("block", ["blocks.0", "blocks.0.attn", "blocks.0.mlp", "blocks.1", "blocks.1.attn"])
@pytest.mark.parametrize("name", MICRO)
def test_block_on_the_authors_inputs(name: str, block: str, form: Literal["training", "inference"]) -> None:
    arrays = golden(name)
    model: nn.Module = micro_model(arrays, MICRO[name])
    module = (freeze(model) if form == "inference" else model).get_submodule(block)
    with torch.inference_mode():
        out = module(torch.from_numpy(arrays[f"io/{block}/in"]))
    expected = arrays[f"io/{block}/out"]
    np.testing.assert_allclose(out.numpy(), expected, rtol=0, atol=1e-5 * float(np.abs(expected).max()))


@pytest.mark.parametrize("layer", ["blocks.0.attn.qkv", "blocks.0.attn.proj", "blocks.1.attn.proj"])
def test_layer_on_the_authors_inputs_with_zeros_and_negative_scales(layer: str) -> None:
    arrays = golden("bivit_micro_pws_w1a32mlp")
    inputs, expected = arrays[f"io/{layer}/in"], arrays[f"io/{layer}/out"]
    if layer.endswith("qkv"):
        assert (arrays[f"sd/{layer}.scaling_factor"] < 0).any()
    else:
        assert (inputs == 0).mean() > 0.01
    module = micro_model(arrays, "w1a32_pws").get_submodule(layer)
    with torch.inference_mode():
        for form in (module, freeze(module)):
            np.testing.assert_allclose(form(torch.from_numpy(inputs)).numpy(), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("config", [SWIN, NEST], ids=["swin", "nest"])
def test_inference_form_of_more_than_one_image(config: TimmConfig) -> None:
    """Window and block attention put images and windows on one axis: an image's logits must not depend on the others.

    Recipe parameters, for which no sign of these small networks is undecided.
    """
    model = recipe_model(config)
    frozen = freeze(model)
    images = torch.from_numpy(recipe.image(3, 32))
    with torch.inference_mode():
        together = frozen(images)
        alone = torch.cat([frozen(image.unsqueeze(0)) for image in images])
        expected = model.double()(images.double())
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(together.double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("size", "window", "shift"), [(8, 4, 2), (14, 7, 3), (6, 3, 1)])
def test_shifted_windows_see_no_wrapped_neighbours(size: int, window: int, shift: int) -> None:
    """From the definition: roll an image of coordinates; two tokens may meet if neither wrapped round apart from the
    other, that is, if rolling kept their distance."""
    grid = (size, size)
    place = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij"), -1).reshape(1, -1, 2)
    windows = to_windows(place.double(), grid, window, shift)
    now = to_windows(place.double(), grid, window, 0)
    kept = (windows[:, :, None] - windows[:, None]) == (now[:, :, None] - now[:, None])
    mask = shift_mask(grid, window, shift)
    assert mask.shape == ((size // window) ** 2, 1, window**2, window**2)
    assert torch.equal(mask.squeeze(1) == 0, kept.all(-1))
    assert set(mask.flatten().tolist()) == {0.0, -100.0}
    torch.testing.assert_close(from_windows(windows, grid, window, shift), place.double())
    rolled = torch.roll(place.reshape(1, size, size, 2), (-shift, -shift), (1, 2)).reshape(1, -1, 2)
    torch.testing.assert_close(windows, to_windows(rolled.double(), grid, window, 0))


def test_merging_takes_columns_before_rows() -> None:
    merging = randomise(PatchMerging(4, 8, (4, 6)))
    assert isinstance(merging, PatchMerging)
    x = tokens(2, 24, 4)
    image = x.reshape(2, 4, 6, 4)
    parts = [image[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
    with torch.no_grad():
        expected = merging.reduction(merging.norm(torch.cat(parts, -1))).reshape(2, 6, 8)
        torch.testing.assert_close(merging(x), expected)


def test_pooling_of_nest_is_a_convolution_and_a_maximum() -> None:
    pool = randomise(ConvPool(4, 8, (6, 6)))
    assert isinstance(pool, ConvPool)
    x = tokens(2, 36, 4)

    def reference(image: Tensor) -> Tensor:
        features = pool.norm(pool.conv(image).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return functional.max_pool2d(features, 3, stride=2, padding=1)

    with torch.no_grad():
        expected = reference(x.transpose(1, 2).reshape(2, 4, 6, 6)).flatten(2).transpose(1, 2)
        torch.testing.assert_close(pool(x), expected, rtol=1e-5, atol=1e-5)
