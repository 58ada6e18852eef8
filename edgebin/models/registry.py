"""The models that edgebin knows, by id.

An id names a published network (`binaryvit-small`), a family (`binaryvit`) names a definition that takes any config.
Several unrelated systems have nearly the same names: see `_OTHER_SYSTEMS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from edgebin.errors import InputError
from edgebin.models.bhvit import BHViT
from edgebin.models.bhvit_config import BHViTConfig, HybridConfig
from edgebin.models.bhvit_twin import HybridViT
from edgebin.models.binaryvit import BinaryViT
from edgebin.models.classifier import ImageClassifier
from edgebin.models.config import TWIN_SUFFIX, BinaryViTConfig, ModelConfig, ViTConfig, config_from_dict
from edgebin.models.full_precision import ViT
from edgebin.models.timm_config import DeiTConfig, NesTConfig, SwinConfig
from edgebin.models.timm_deit import DeiT
from edgebin.models.timm_nest import NesT
from edgebin.models.timm_swin import Swin


@dataclass(frozen=True)
class Family:
    """A definition and the configs that it takes."""

    config: type[ModelConfig]
    module: Callable[[Any], ImageClassifier]


_BINARYVIT_SMALL = BinaryViTConfig(
    patch_size=4,
    depths=(3, 4, 8, 4),
    dims=(64, 128, 256, 512),
    heads=(1, 2, 4, 8),
    mlp_dims=(512, 1024, 1024, 2048),
    reductions=(8, 4, 1, 1),
    class_token=False,
    stem_norm=True,
    average_windows=(3, 5),
    layer_scale=True,
)
_REACTDEIT_SMALL = BinaryViTConfig()
_REACTDEIT_SMALL_AVGPOOL = replace(_REACTDEIT_SMALL, class_token=False)
_REACTDEIT_SMALL_MB = replace(_REACTDEIT_SMALL_AVGPOOL, average_windows=(3, 5))

# Le & Li, BinaryViT (CVPRW 2023): the pyramid, the same with full-precision downsampling layers, and the four rows of
# the ablation that starts from a DeiT-S.
_BINARY_PRESETS: dict[str, ModelConfig] = {
    "binaryvit-small": _BINARYVIT_SMALL,
    "binaryvit-small-fdl": replace(_BINARYVIT_SMALL, full_precision_downsampling=True),
    "reactdeit-small": _REACTDEIT_SMALL,
    "reactdeit-small-avgpool": _REACTDEIT_SMALL_AVGPOOL,
    "reactdeit-small-mb": _REACTDEIT_SMALL_MB,
    "reactdeit-small-ls": replace(_REACTDEIT_SMALL_MB, layer_scale=True),
}
# He et al., BiViT (ICCV 2023), Table 1; DeiT-S is not in the paper. The MLPs are those of its ImageNet setting.
_BIVIT_PRESETS: dict[str, ModelConfig] = {
    "bivit-deit-t": DeiTConfig(dims=(192,), heads=(3,), mlp_dims=(768,)),
    "bivit-deit-s": DeiTConfig(),
    "bivit-deit-b": DeiTConfig(dims=(768,), heads=(12,), mlp_dims=(3072,)),
    "bivit-swin-t": SwinConfig(),
    "bivit-swin-s": SwinConfig(depths=(2, 2, 18, 2)),
    "bivit-nest-t": NesTConfig(),
    "bivit-nest-s": NesTConfig(depths=(2, 2, 20)),
}
# Gao et al., BHViT (CVPR 2025), Table 2; there is no larger one.
_BHVIT_TINY = BHViTConfig()
_BHVIT_SMALL = replace(_BHVIT_TINY, depths=(3, 4, 8, 4))
_BHVIT_PRESETS: dict[str, ModelConfig] = {
    "bhvit-tiny": _BHVIT_TINY,
    "bhvit-tiny-fdl": replace(_BHVIT_TINY, full_precision_downsampling=True),
    "bhvit-small": _BHVIT_SMALL,
    "bhvit-small-fdl": replace(_BHVIT_SMALL, full_precision_downsampling=True),
}
# Networks of the ablation that differ in binary layers only share their twin.
_TWIN_PRESETS = ("binaryvit-small", "reactdeit-small", "reactdeit-small-avgpool")
_BHVIT_TWIN_PRESETS = ("bhvit-tiny", "bhvit-small")

FAMILIES: dict[str, Family] = {
    "binaryvit": Family(BinaryViTConfig, BinaryViT),
    "reactdeit": Family(BinaryViTConfig, BinaryViT),
    "binaryvit-full-precision": Family(ViTConfig, ViT),
    "reactdeit-full-precision": Family(ViTConfig, ViT),
    "bhvit": Family(BHViTConfig, BHViT),
    "bhvit-full-precision": Family(HybridConfig, HybridViT),
    "bivit-deit": Family(DeiTConfig, DeiT),
    "bivit-swin": Family(SwinConfig, Swin),
    "bivit-nest": Family(NesTConfig, NesT),
    "bivit-deit-full-precision": Family(DeiTConfig, DeiT),
    "bivit-swin-full-precision": Family(SwinConfig, Swin),
    "bivit-nest-full-precision": Family(NesTConfig, NesT),
}

# Names that users will try, of systems that are not the ones above.
_OTHER_SYSTEMS = {
    "binaryvit-xiao": "BinaryViT of Xiao et al. (arXiv 2305.14730) shares only the name with BinaryViT of Le & Li",
    "bi-vit": "Bi-ViT of Li et al. (AAAI 2024) is another system",
    "si-bivit": "SI-BiViT (ACM MM 2024) is another system",
}


def _presets() -> dict[str, ModelConfig]:
    twins = {name + TWIN_SUFFIX: _BINARY_PRESETS[name].twin() for name in _TWIN_PRESETS}
    twins |= {name + TWIN_SUFFIX: config.twin() for name, config in _BIVIT_PRESETS.items()}
    twins |= {name + TWIN_SUFFIX: _BHVIT_PRESETS[name].twin() for name in _BHVIT_TWIN_PRESETS}
    return {**_BINARY_PRESETS, **_BHVIT_PRESETS, **_BIVIT_PRESETS, **twins}


def family_of(model: str) -> str:
    """The family of a model id or family name.

    Raises:
        InputError: no such model.
    """
    if model in FAMILIES:
        return model
    if model in PRESETS:
        return family_name(PRESETS[model])
    other = next((text for name, text in _OTHER_SYSTEMS.items() if _plain(model).startswith(_plain(name))), None)
    reason = f"{other}, and not supported" if other else "no such model"
    raise InputError(f"unknown model `{model}`: {reason}", hint=f"known models: {', '.join([*PRESETS, *FAMILIES])}")


def is_full_precision(model: str) -> bool:
    """Whether a model id or family names a full-precision network."""
    return family_of(model).endswith(TWIN_SUFFIX)


def family_name(config: ModelConfig) -> str:
    """The family that a config belongs to."""
    return config.family


def model_id_of(config: ModelConfig) -> str:
    """The id of the published network that `config` is, whatever fine-tuning changed, or else the family."""
    for model_id, preset in PRESETS.items():
        if preset.identity() == config.identity():
            return model_id
    return family_name(config)


def resolve_config(model: str, config: dict[str, Any] | ModelConfig | None = None) -> ModelConfig:
    """The config of a model id or family, as an object.

    Raises:
        InputError: no such model, not a config of it, or none given for a family.
    """
    family = family_of(model)
    if config is None:
        if model not in PRESETS:
            raise InputError(f"`{model}` is a family of models and needs a config", hint="name a model, or its sizes")
        return PRESETS[model]
    resolved = config_from_dict(FAMILIES[family].config, config) if isinstance(config, dict) else config
    if family_name(resolved) != family:
        raise InputError(f"this config is of a `{family_name(resolved)}`, not of a `{family}`")
    return resolved


def build(model: str, config: dict[str, Any] | ModelConfig | None = None) -> ImageClassifier:
    """A model with fresh weights, in evaluation mode.

    Args:
        model: a model id or a family.
        config: as `config_to_dict` writes it; may be left out for a model id.

    Raises:
        InputError: no such model, or not a config of it.
    """
    return construct(resolve_config(model, config)).eval()


def construct(config: ModelConfig) -> ImageClassifier:
    """The module that a config describes."""
    return FAMILIES[config.family].module(config)


def twin_config(config: ModelConfig) -> ModelConfig:
    """The shape of `config` without what only binary networks have."""
    return config.twin()


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


PRESETS: dict[str, ModelConfig] = _presets()
