"""`freeze` on whole networks."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from edgebin.models.config import BinaryViTConfig, ViTConfig
from edgebin.models.registry import construct, twin_config
from edgebin.nn.freeze import freeze
from tests.nn.test_inference_forms import randomise

PYRAMID = BinaryViTConfig(
    image_size=32, patch_size=4, classes=5, depths=(1, 1), dims=(16, 32), heads=(1, 2), mlp_dims=(32, 64),
    reductions=(2, 1), class_token=False, stem_norm=True, average_windows=(3, 5), layer_scale=True,
)  # fmt: skip
DEIT = BinaryViTConfig(
    image_size=16, patch_size=4, classes=5, depths=(2,), dims=(24,), heads=(3,), mlp_dims=(48,), reductions=(1,)
)
CONFIGS = {
    "pyramid": PYRAMID,
    "deit": DEIT,
    "pyramid twin": twin_config(PYRAMID),
    "deit twin": twin_config(DEIT),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_frozen_networks_keep_a_dynamic_batch(config: ViTConfig) -> None:
    frozen = freeze(randomise(construct(config)))
    images = torch.randn(5, 3, config.image_size, config.image_size, generator=torch.Generator().manual_seed(0))
    program = torch.export.export(frozen, (images[:2],), dynamic_shapes=({0: torch.export.Dim("batch")},), strict=False)
    torch.testing.assert_close(program.module()(images), frozen(images))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_model_itself_stays_as_it_is(config: ViTConfig) -> None:
    model = construct(config).train()
    before = copy.deepcopy(model.state_dict())
    frozen = freeze(model)
    assert model.training
    assert not frozen.training
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_nothing_of_the_training_form_is_left() -> None:
    frozen = freeze(randomise(construct(PYRAMID)))
    latent = {"BinaryLinear", "BinaryPatchConv", "BatchNormTokens", "RPReLU", "LayerScale", "Conv2d", "BinaryUnit"}
    assert not latent & {type(module).__name__ for module in frozen.modules()}
    assert {t.dtype for t in frozen.state_dict().values()} == {torch.float32, torch.uint8, torch.int64}


@pytest.mark.parametrize("config", [PYRAMID, DEIT], ids=["pyramid", "deit"])
def test_a_network_trained_in_float64_freezes_to_float32(config: ViTConfig) -> None:
    model = randomise(construct(config))
    single, double = freeze(model), freeze(model.double())
    assert all(torch.equal(value, double.state_dict()[name]) for name, value in single.state_dict().items())


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    for config in (PYRAMID, DEIT):
        model: nn.Module = construct(config)
        with torch.no_grad():
            for name, value in model.named_parameters():
                if name.endswith("layerscale_w3.alpha") or "layerscale" in name:
                    value.add_(0.1)
        images = torch.randn(4, 3, config.image_size, config.image_size)
        (model(images) ** 2).sum().backward()
        silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
        assert silent == []
