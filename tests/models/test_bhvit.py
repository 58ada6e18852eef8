"""BHViT: sizes, batches, gradients, and the checkpoints that it is read from."""

from __future__ import annotations

import importlib
import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebin.errors import CheckpointError, InputError
from edgebin.models.bhvit_config import BHViTConfig, HybridConfig
from edgebin.models.checkpoint import full_precision_twin, read_checkpoint, save_checkpoint
from edgebin.models.registry import PRESETS, build, construct
from edgebin.nn.freeze import freeze
from tests.golden.bhvit import micro_config
from tests.golden.load import golden, micro_state, shared
from tests.nn.test_inference_forms import randomise

# Four windows and one, of four tokens each.
SMALL = BHViTConfig(
    image_size=32, patch_size=2, classes=10, depths=(1, 1, 1, 1), dims=(16, 32, 64, 128), mlp_dims=(32, 64, 128, 256),
    heads=(2, 2), window=2,
)  # fmt: skip
VARIANTS = {
    "quantization decomposition": SMALL,
    "gsb": replace(SMALL, gsb=True),
    "full-precision downsampling": replace(SMALL, full_precision_downsampling=True),
    "no shifts": replace(SMALL, shifts=()),
    "one shift, no layer scale": replace(SMALL, shifts=(5,), layer_scale=False),
    "layer norm": replace(SMALL, norm="layer"),
    "twin": SMALL.twin(),
}
OFFICIAL_KEYS = {
    "bhvit-tiny": ("bhvit_tiny", {}),
    "bhvit-tiny-fdl": ("bhvit_tiny_somefp", {}),
    "bhvit-small": ("bhvit_small", {}),
    "bhvit-small-fdl": ("bhvit_small_somefp", {}),
    "bhvit-tiny with gsb": ("bhvit_tiny_gsb", {"gsb": True}),
}


def random_network(config: HybridConfig) -> nn.Module:
    model = randomise(construct(config))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith(("att_prob_quantizer.alpha", "att_prob_clip")):
                value.abs_().add_(0.1)
    return model


def images(config: HybridConfig, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, config.channels, config.image_size, config.image_size, generator=generator)


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path, **options)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("model_id", OFFICIAL_KEYS)
def test_parameters_are_named_and_shaped_as_the_authors_are(model_id: str) -> None:
    key, options = OFFICIAL_KEYS[model_id]
    expected = json.loads(shared("reference/models_keys.json").read_text())[key]
    with torch.device("meta"):
        state = construct(replace(PRESETS[model_id.split()[0]], **options)).state_dict()
    assert {name: list(value.shape) for name, value in state.items()} == {n: size for n, (size, _) in expected.items()}


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_both_forms_agree_block_by_block(config: HybridConfig) -> None:
    """Whole networks would not: one sign that rounds the other way changes all that follows."""
    model = random_network(config).double()
    x: Tensor | None = None
    frozen = freeze(model)
    with torch.inference_mode():
        for name in ("vit.embeddings", *(f"vit.encoder.{name}" for name in _steps(config))):
            given = images(config, 3).double() if x is None else x
            expected = model.get_submodule(name)(given)
            got = frozen.get_submodule(name)(given.float())
            torch.testing.assert_close(got.double(), expected, rtol=0, atol=2e-6 * float(expected.abs().max()))
            x = expected / expected.std()


def _steps(config: HybridConfig) -> list[str]:
    names = [f"layerA.{i}" for i in range(sum(config.depths[:2]))] + [f"layerB.{i}" for i in range(config.depths[2])]
    return [names[0], "patch_embed1", names[1], "patch_embed2", names[2], "patch_embed3", "layerB.1"]


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_images_of_a_batch_do_not_see_each_other(config: HybridConfig) -> None:
    """Windows are the batch of the attention: each must get the merge tokens of its own image."""
    frozen = freeze(random_network(config)).double()
    batch = images(config, 3).double()
    with torch.inference_mode():
        together = frozen(batch)
        alone = torch.cat([frozen(batch[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-9 * float(alone.abs().max()))
    assert (together[0] - together[1]).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["quantization decomposition", "gsb", "twin"])
def test_frozen_networks_keep_a_dynamic_batch(name: str) -> None:
    config = VARIANTS[name]
    frozen = freeze(random_network(config))
    batch = images(config, 5)
    dimensions = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(frozen, (batch[:2],), dynamic_shapes=dimensions, strict=False)
    torch.testing.assert_close(program.module()(batch), frozen(batch))


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_gradients_reach_every_parameter(config: HybridConfig) -> None:
    torch.manual_seed(0)
    model = construct(config).train()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "layerscale" in name:
                value.add_(0.1)
            if name.endswith("att_prob_clip"):
                value.fill_(0.2)
    for _ in range(2):  # the first pass sets the quantizers' steps
        model.zero_grad()
        (model(images(config, 4)) ** 2).sum().backward()
    silent = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()}
    # A softmax does not see what is added to all scores of a row.
    assert {name for name in silent if not name.endswith("key.bias")} == set()


@pytest.mark.parametrize(("image_size", "window", "tokens"), [(256, 8, 68), (448, 7, 65), (32, 1, 5)])
def test_other_image_sizes(tmp_path: Path, image_size: int, window: int, tokens: int) -> None:
    """As forks of the published code fine-tune it: windows that fit the smaller or larger stages."""
    config = replace(SMALL, image_size=image_size, patch_size=4, window=window)
    model = random_network(config)
    assert freeze(model)(images(config, 1)).isfinite().all()
    assert config.window**2 + config.windows(2) == tokens
    torch.save(model.state_dict(), tmp_path / "a.pth")
    assert read_checkpoint(tmp_path / "a.pth").config == config


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"image_size": 256}, "window of 7 tokens divides the 16"),
        ({"image_size": 100}, "can be halved"),
        ({"depths": (2, 2)}, "4 stages"),
        ({"heads": (1, 1, 4, 8)}, "last two stages"),
        ({"heads": (3, 8)}, "heads divide"),
        ({"heads": (1, 1)}, "head width"),
        ({"dims": (66, 132, 264, 528)}, "multiple of 4"),
        ({"mlp_dims": (500, 1024, 1024, 2048)}, "dims divide mlp_dims"),
        ({"shifts": (3, 7)}, "3 and 5"),
        ({"window": 0}, "every size"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, Any], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        BHViTConfig(**wrong)


def test_the_authors_own_file() -> None:
    loaded = read_checkpoint(shared("golden/bhvit_micro_official_format.pth"))
    expected = micro_state(golden("bhvit_micro"))
    assert (loaded.model_id, loaded.config, loaded.full_precision) == ("bhvit", micro_config(), False)
    assert all(torch.equal(value, expected[name]) for name, value in loaded.module.state_dict().items())
    twin = full_precision_twin(loaded)
    assert twin.config == micro_config().twin()


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_config_is_told_by_the_parameters(tmp_path: Path, config: HybridConfig) -> None:
    """But for the heads, where no quantizer has one scale for each, and for windows: those come from a config.json."""
    published = {
        "hidden_size": config.dims, "intermediate_size": config.mlp_dims, "num_attention_heads": [1, 1, *config.heads],
        "window_size": config.window,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(published))
    torch.save({"model": construct(config).state_dict()}, tmp_path / "best.pth")
    loaded = read_checkpoint(tmp_path / "best.pth", config=tmp_path / "config.json")
    assert loaded.config == config
    assert loaded.full_precision == (type(config) is HybridConfig)
    save_checkpoint(tmp_path / "a.safetensors", loaded.module)
    assert read_checkpoint(tmp_path / "a.safetensors").config == config


def test_what_is_assumed_is_said(tmp_path: Path) -> None:
    torch.save(construct(VARIANTS["gsb"]).state_dict(), tmp_path / "a.pth")
    loaded = read_checkpoint(tmp_path / "a.pth")
    assert "heads assumed to be 64 wide" in loaded.source
    assert "windows assumed to be 2 tokens a side" in loaded.source


def test_contradictions_are_errors(tmp_path: Path) -> None:
    state = construct(SMALL).state_dict()
    arguments = {"gsb": True, "shift3": False, "some_fp": False, "nb_classes": 10, "input_size": 224}
    torch.save({"model": state, "args": Namespace(**arguments)}, tmp_path / "a.pth")
    message = refusal(tmp_path / "a.pth")
    for said in ("gsb is True", "shift3 is False", "input_size is 224"):
        assert f"{said} in the arguments" in message
    torch.save(state, tmp_path / "a.pth")
    assert "not a `bhvit-tiny`" in refusal(tmp_path / "a.pth", model="bhvit-tiny")
    assert "holds a binary network" in refusal(tmp_path / "a.pth", model="bhvit-tiny-full-precision")
    assert "not a `binaryvit-small`" in refusal(tmp_path / "a.pth", model="binaryvit-small")
    del state["vit.encoder.layerA.0.GC.cov2.bias"]
    torch.save(state, tmp_path / "a.pth")
    assert "1 missing (vit.encoder.layerA.0.GC.cov2.bias)" in refusal(tmp_path / "a.pth")


def test_a_published_network_keeps_its_id_when_fine_tuned(tmp_path: Path) -> None:
    fine_tuned = build("bhvit", {"image_size": 256, "window": 8, "classes": 3})
    torch.save(fine_tuned.state_dict(), tmp_path / "a.pth")
    for loaded in (read_checkpoint(tmp_path / "a.pth"), read_checkpoint(tmp_path / "a.pth", model="bhvit-tiny")):
        assert loaded.model_id == "bhvit-tiny"
        assert loaded.config.classes == 3


def test_it_learns_digits() -> None:
    pytest.importorskip("sklearn")
    digits = importlib.import_module("examples.digits.data").load()
    torch.manual_seed(0)
    model = construct(SMALL).train()
    inputs, labels = torch.from_numpy(digits.train_images), torch.from_numpy(digits.train_labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0)
    for _ in range(2):
        for batch in torch.randperm(len(inputs)).split(64):
            loss = functional.cross_entropy(model(inputs[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    assert all(float(value) == 1 for name, value in model.state_dict().items() if name.endswith("init_state"))
    with torch.inference_mode():
        answers = freeze(model)(torch.from_numpy(digits.test_images)).argmax(1)
    assert (answers.numpy() == digits.test_labels).mean() >= 0.8
