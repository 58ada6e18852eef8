"""BiViT's checkpoints, what they do not tell, and training."""

from __future__ import annotations

import argparse
import importlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebin.errors import CheckpointError, InputError
from edgebin.models.checkpoint import full_precision_twin, read_checkpoint, save_checkpoint
from edgebin.models.registry import PRESETS, construct
from edgebin.models.timm_attention import relative_position_index
from edgebin.models.timm_config import MLP_MODES, DeiTConfig, MlpMode, NesTConfig, SwinConfig, TimmConfig
from edgebin.models.timm_swin import shift_mask
from edgebin.nn.freeze import freeze
from edgebin.nn.scaled_linear import ScaledBinaryLinear
from tests.golden.bivit import recipe_model
from tests.golden.load import HERE, golden, micro_state

DEIT = DeiTConfig(image_size=16, patch_size=4, classes=5, depths=(2,), dims=(64,), heads=(1,), mlp_dims=(128,))
SWIN = SwinConfig(
    image_size=64, classes=5, depths=(2, 2), dims=(32, 64), heads=(1, 2), mlp_dims=(64, 128), window=4
)  # fmt: skip
NEST = NesTConfig(image_size=32, classes=5, depths=(1, 1), dims=(32, 64), heads=(1, 2), mlp_dims=(64, 128))
State = dict[str, Tensor]


def saved(path: Path, state: State) -> Path:
    torch.save(state, path)
    return path


def old_layout(state: State) -> State:
    """A Swin's state dict as timm before 0.9 and the authors of Swin have it, buffers included."""
    old: State = {}
    for name, value in state.items():
        if ".downsample." in name:
            stage = int(name.split(".")[1])
            name = name.replace(f"layers.{stage}.", f"layers.{stage - 1}.", 1)
        old[name.replace("head.fc.", "head.")] = value
        if name.endswith("relative_position_bias_table"):
            old[name.replace("bias_table", "index")] = relative_position_index(SWIN.window)
    for stage in range(SWIN.stages):
        grid, shift = SWIN.grid(stage), SWIN.shift_of(stage, 1)
        if shift:
            old[f"layers.{stage}.blocks.1.attn_mask"] = shift_mask(grid, SWIN.window, shift).squeeze(1)
    return old


@pytest.mark.parametrize("config", [DEIT, NEST], ids=["deit", "nest"])
@pytest.mark.parametrize("mlp", MLP_MODES)
def test_bare_state_dicts(tmp_path: Path, config: TimmConfig, mlp: MlpMode) -> None:
    expected = replace(config, mlp=mlp)
    loaded = read_checkpoint(saved(tmp_path / "a.pth", construct(expected).state_dict()), mlp=mlp)
    assert loaded.config == expected
    assert loaded.model_id == expected.family
    assert "wide" in loaded.source
    assert not loaded.full_precision


def test_both_layouts_of_swin_are_the_same_network(tmp_path: Path) -> None:
    state = construct(SWIN).state_dict()
    new = read_checkpoint(
        saved(tmp_path / "new.pth", {"model": state, "args": argparse.Namespace(img_size=64)}), mlp="w1a32_pws"
    )
    old = read_checkpoint(saved(tmp_path / "old.pth", old_layout(state)), mlp="w1a32_pws")
    assert new.config == old.config == SWIN
    for name, value in old.module.state_dict().items():
        assert torch.equal(value, state[name])
        assert torch.equal(value, new.module.state_dict()[name])
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(old.module(images), new.module(images))


def test_an_image_size_that_swin_does_not_tell_is_said_to_be_assumed(tmp_path: Path) -> None:
    loaded = read_checkpoint(saved(tmp_path / "a.pth", construct(SWIN).state_dict()), mlp="w1a32_pws")
    assert loaded.config == replace(SWIN, image_size=32)
    assert "images assumed to be 32 pixels" in loaded.source


@pytest.mark.parametrize("buffer", ["attn.relative_position_index", "attn_mask"])
def test_buffers_of_another_network_are_refused(tmp_path: Path, buffer: str) -> None:
    state = old_layout(construct(SWIN).state_dict())
    name = f"layers.0.blocks.1.{buffer}"
    state[name] = state[name].flip(0).contiguous()
    with pytest.raises(CheckpointError, match=name):
        read_checkpoint(saved(tmp_path / "a.pth", state), mlp="w1a32_pws")


@pytest.mark.parametrize("learned", [True, False])
def test_missing_mode_lists_the_choices(tmp_path: Path, learned: bool) -> None:
    state = construct(replace(DEIT, mlp="w1a1_pws" if learned else "w1a1_ste")).state_dict()
    path = saved(tmp_path / "a.pth", state)
    with pytest.raises(InputError, match="does not tell") as caught:
        read_checkpoint(path)
    hint = caught.value.hint or ""
    assert "--mlp" in hint
    assert {mode for mode in MLP_MODES if f"{mode} (" in hint} == {m for m in MLP_MODES if m.endswith("pws") == learned}
    with pytest.raises(CheckpointError, match="learned scales"):
        read_checkpoint(path, mlp="w1a1_ste" if learned else "w1a1_pws")
    with pytest.raises(InputError, match="unknown mode") as caught:
        read_checkpoint(path, mlp="w2a2")
    assert all(mode in (caught.value.hint or "") for mode in MLP_MODES)


def test_a_mode_for_another_system_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.safetensors", construct(replace(PRESETS["reactdeit-small-avgpool"], depths=(1,))))
    with pytest.raises(InputError, match="no checkpoint of BiViT"):
        read_checkpoint(tmp_path / "a.safetensors", mlp="fp")


@pytest.mark.parametrize("config", [DEIT, SWIN, NEST], ids=["deit", "swin", "nest"])
def test_full_precision_is_never_guessed(tmp_path: Path, config: TimmConfig) -> None:
    """The baseline of the paper and a plain network have the same parameter names."""
    twin = config.twin()
    state = construct(twin).state_dict()
    path = saved(tmp_path / "a.pth", old_layout(state) if config is SWIN else state)
    with pytest.raises(InputError, match="full-precision network or of BiViT's baseline"):
        read_checkpoint(path)
    loaded = read_checkpoint(path, model=twin.family)
    assert (loaded.config, loaded.full_precision) == (twin, True)
    if config is not SWIN:
        baseline = read_checkpoint(path, mlp="w1a1_ste")
        assert baseline.config == replace(config, attention="baseline", mlp="w1a1_ste")
        assert not baseline.full_precision
    binary = saved(tmp_path / "b.pth", construct(config).state_dict())
    with pytest.raises(CheckpointError, match="holds a binary network"):
        read_checkpoint(binary, model=twin.family, mlp="w1a32_pws")


def test_heads_and_arguments(tmp_path: Path) -> None:
    path = saved(tmp_path / "micro.pth", micro_state(golden("bivit_micro_pws_w1a32mlp")))
    with pytest.raises(CheckpointError, match="how many attention heads"):
        read_checkpoint(path, mlp="w1a32_pws")
    loaded = read_checkpoint(path, mlp="w1a32_pws", config=HERE / "bivit_micro.json")
    assert isinstance(loaded.config, DeiTConfig)
    assert (loaded.config.heads, loaded.config.image_size) == ((3,), 32)
    arguments: dict[str, Any] = {"nb_classes": 7, "input_size": 32}
    contradicting = {"model": construct(DEIT).state_dict(), "args": argparse.Namespace(**arguments)}
    with pytest.raises(CheckpointError, match="nb_classes is 7 in the arguments, 5 by the parameters"):
        read_checkpoint(saved(tmp_path / "b.pth", contradicting), mlp="w1a32_pws")


def test_a_named_network_keeps_its_id_with_other_mlps_and_classes(tmp_path: Path) -> None:
    preset = PRESETS["bivit-nest-t"]
    assert isinstance(preset, NesTConfig)
    path = saved(tmp_path / "a.pth", construct(replace(preset, classes=10, mlp="w1a1_pws")).state_dict())
    loaded = read_checkpoint(path, model="bivit-nest-t", mlp="w1a1_pws")
    assert loaded.model_id == "bivit-nest-t"
    with pytest.raises(CheckpointError, match="not a `bivit-nest-s`"):
        read_checkpoint(path, model="bivit-nest-s", mlp="w1a1_pws")


@pytest.mark.parametrize("config", [DEIT, SWIN, NEST], ids=["deit", "swin", "nest"])
def test_round_trip_and_twin(tmp_path: Path, config: TimmConfig) -> None:
    save_checkpoint(tmp_path / "a.safetensors", construct(config))
    loaded = read_checkpoint(tmp_path / "a.safetensors")
    assert loaded.config == config
    twin = full_precision_twin(loaded)
    assert twin.config == config.twin()
    images = torch.randn(2, 3, config.image_size, config.image_size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(freeze(twin)(images), twin(images), rtol=1e-5, atol=1e-5)
    with pytest.raises(CheckpointError, match="mlp is fp by what you say"):
        read_checkpoint(tmp_path / "a.safetensors", mlp="fp")


@pytest.mark.parametrize("mlp", MLP_MODES)
@pytest.mark.parametrize("config", [DEIT, SWIN, NEST], ids=["deit", "swin", "nest"])
def test_gradients_reach_every_parameter(config: TimmConfig, mlp: MlpMode) -> None:
    """Contexts pass a gradient on where they are exactly 0, as in the authors' code, so it takes many images."""
    model = construct(replace(config, mlp=mlp)).train()
    model.load_state_dict(recipe_model(replace(config, mlp=mlp)).state_dict())
    images = torch.randn(16, 3, config.image_size, config.image_size, generator=torch.Generator().manual_seed(0))
    (model(images) ** 2).sum().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert silent == []


DIGITS = DeiTConfig(
    image_size=32, patch_size=8, classes=10, depths=(2,), dims=(64,), heads=(2,), mlp_dims=(128,)
)  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Any:
    pytest.importorskip("sklearn")
    return importlib.import_module("examples.digits.data").load()


@pytest.fixture(scope="module")
def pretrained(digits: Any) -> State:
    """A full-precision network, which BiViT's training starts from."""
    torch.manual_seed(0)
    model = construct(DIGITS.twin())
    fit(model, digits, epochs=8, learning_rate=3e-3)
    assert accuracy(model, digits) >= 0.6
    return model.state_dict()


@pytest.mark.parametrize("mlp", ["w1a32_pws", pytest.param("w1a1_pws", marks=pytest.mark.slow)])
def test_a_short_fit_on_digits(digits: Any, pretrained: State, mlp: MlpMode) -> None:
    torch.manual_seed(0)
    model = construct(replace(DIGITS, mlp=mlp))
    model.load_state_dict(pretrained, strict=False)
    for module in model.modules():
        if isinstance(module, ScaledBinaryLinear):
            module.reset_scale()
    assert accuracy(model, digits) <= 0.4  # what binarising without training costs
    fit(model, digits, epochs=8, learning_rate=2e-3)
    assert accuracy(model, digits) >= 0.6
    test = torch.from_numpy(digits.test_images)
    with torch.inference_mode():
        trained, frozen = (form(test).argmax(1) for form in (model.eval(), freeze(model)))
    assert (trained == frozen).float().mean() >= 0.99


def fit(model: nn.Module, digits: Any, *, epochs: int, learning_rate: float) -> None:
    images, labels = torch.from_numpy(digits.train_images), torch.from_numpy(digits.train_labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0)
    steps = epochs * math.ceil(len(images) / 32)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(32):
            optimizer.zero_grad()
            functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()


def accuracy(model: nn.Module, digits: Any) -> float:
    with torch.inference_mode():
        answers = model(torch.from_numpy(digits.test_images)).argmax(1).numpy()
    return float((answers == digits.test_labels).mean())
