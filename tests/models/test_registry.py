"""Ids, families, configs, and the names of parameters."""

from __future__ import annotations

import json

import pytest
import torch

from edgebin.errors import InputError
from edgebin.models.config import BinaryViTConfig, ViTConfig, config_from_dict, config_to_dict
from edgebin.models.registry import PRESETS, build, construct, family_name, family_of, model_id_of, twin_config
from tests.golden.load import shared

OFFICIAL_KEYS = {
    "binaryvit-small": "binaryvit_small",
    "binaryvit-small-fdl": "binaryvit_small_somefp",
    "reactdeit-small": "reactdeit_small",
    "reactdeit-small-avgpool": "reactdeit_small_avgpool",
    "reactdeit-small-mb": "reactdeit_small_avgpool_mb",
    "reactdeit-small-ls": "reactdeit_small_avgpool_mb_ls",
    "reactdeit-small-full-precision": "deit_small_teacher_fp",
    "bivit-deit-t": "bivit_deit_tiny",
    "bivit-deit-s": "bivit_deit_small",
    "bivit-deit-b": "bivit_deit_base",
    "bivit-swin-t": "bivit_swin_tiny",
    "bivit-swin-s": "bivit_swin_small",
    "bivit-nest-t": "bivit_nest_tiny",
    "bivit-nest-s": "bivit_nest_small",
}


@pytest.mark.parametrize("model_id", OFFICIAL_KEYS)
def test_parameters_are_named_and_shaped_as_the_authors_are(model_id: str) -> None:
    expected = json.loads(shared("reference/models_keys.json").read_text())[OFFICIAL_KEYS[model_id]]
    with torch.device("meta"):
        state = construct(PRESETS[model_id]).state_dict()
    assert {name: list(value.shape) for name, value in state.items()} == {
        n: shape for n, (shape, _) in expected.items()
    }


@pytest.mark.parametrize("model_id", PRESETS)
def test_ids_and_configs_belong_together(model_id: str) -> None:
    config = PRESETS[model_id]
    assert model_id_of(config) == model_id
    assert family_of(model_id) == family_name(config)
    assert config_from_dict(type(config), json.loads(json.dumps(config_to_dict(config)))) == config


@pytest.mark.parametrize("name", ["BiViT", "bi_vit-small", "bhvit_tiny", "si-bivit", "binaryvit-xiao", "resnet50", ""])
def test_other_systems_with_similar_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="unknown model") as caught:
        family_of(name)
    assert "binaryvit-small" in (caught.value.hint or "")


def test_build() -> None:
    small = {
        "image_size": 16,
        "patch_size": 4,
        "depths": [1],
        "dims": [32],
        "heads": [1],
        "mlp_dims": [64],
        "classes": 3,
    }
    assert build("reactdeit", small)(torch.zeros(2, 3, 16, 16)).shape == (2, 3)
    for model, config in (
        ("reactdeit", None),
        ("binaryvit", small),
        ("reactdeit", {**small, "colour": 1}),
        ("reactdeit", {**small, "depths": ["1"]}),
        ("reactdeit", {**small, "depths": 1}),
    ):
        with pytest.raises(InputError):
            build(model, config)


@pytest.mark.parametrize(
    "wrong",
    [
        {"depths": (12, 2)},
        {"patch_size": 15},
        {"heads": (5,)},
        {"heads": (96,)},
        {"heads": (1,)},
        {"mlp_dims": (1000,)},
        {"classes": 0},
        {"depths": (10**6,)},
        {"average_windows": (3, 5)},
        {"average_windows": (7,), "class_token": False},
        {"reductions": (3,), "class_token": False},
        {"image_size": 8192, "patch_size": 4},
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="breaks a rule"):
        BinaryViTConfig(**wrong)  # type: ignore[arg-type]


def test_a_twin_has_the_same_shape_and_nothing_binary() -> None:
    twin = twin_config(PRESETS["binaryvit-small"])
    assert type(twin) is ViTConfig
    assert (twin.depths, twin.dims, twin.reductions) == ((3, 4, 8, 4), (64, 128, 256, 512), (8, 4, 1, 1))
