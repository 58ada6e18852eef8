"""What a model is made of: the sizes and switches that its checkpoint does not always tell."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from edgebin.errors import InputError
from edgebin.nn.attention import MAX_KEY_TOKENS
from edgebin.nn.norm import NormKind
from edgebin.nn.tokens import Grid

TWIN_SUFFIX = "-full-precision"

_MAX_LAYERS = 1000
_MAX_SIZE = 2**20


@dataclass(frozen=True)
class ModelConfig:
    """What every model here has: images of one size, stages of layers, classes.

    Args:
        image_size: height and width of the input, pixels.
        channels: colours of the input.
        classes: outputs.
        depths: layers of each stage.
        dims: token width of each stage.

    Raises:
        InputError: the sizes do not fit each other.
    """

    image_size: int = 224
    channels: int = 3
    classes: int = 1000
    depths: tuple[int, ...] = (12,)
    dims: tuple[int, ...] = (384,)

    def __post_init__(self) -> None:
        require_sizes(self.image_size, self.channels, self.classes, *self.depths, *self.dims)
        require(len(self.depths) >= 1, "there is at least one stage")
        require(sum(self.depths) <= _MAX_LAYERS, f"there are at most {_MAX_LAYERS} layers")

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.depths)

    @property
    def family(self) -> str:
        """The definition that builds this model, as `edgebin.models.registry.FAMILIES` calls it."""
        raise TypeError(f"{type(self).__name__} names no family")

    def identity(self) -> Self:
        """What makes it this network: itself, without what fine-tuning changes."""
        return dataclasses.replace(self, classes=ModelConfig.classes)

    def twin(self) -> ModelConfig:
        """The full-precision network of the same shape; a full-precision network is its own twin."""
        return self


@dataclass(frozen=True)
class ViTConfig(ModelConfig):
    """Shape of a vision transformer of one or more stages; between two stages 2×2 tokens become one.

    Args:
        patch_size: height and width of a patch, pixels.
        heads: attention heads of each stage.
        mlp_dims: hidden width of each stage's MLP.
        reductions: side of the windows of tokens that each stage pools its keys and values over; 1 is no pooling.
        class_token: whether a class token is classified; otherwise the mean of all tokens is.
        stem_norm: whether the patch projection is followed by a batch norm.

    Raises:
        InputError: the sizes do not fit each other.
    """

    patch_size: int = 16
    heads: tuple[int, ...] = (6,)
    mlp_dims: tuple[int, ...] = (1536,)
    reductions: tuple[int, ...] = (1,)
    class_token: bool = True
    stem_norm: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        stages = (self.depths, self.dims, self.heads, self.mlp_dims, self.reductions)
        require(len({len(values) for values in stages}) == 1, "every per-stage list has one entry for each stage")
        require_sizes(self.patch_size, *self.heads, *self.mlp_dims, *self.reductions)
        require(self.image_size % self.patch_size == 0, "patch_size divides image_size")
        require(not (self.class_token and self.stages > 1), "a class token needs a single stage")
        for stage in range(self.stages):
            side = self.grid(stage)[0]
            require(self.dims[stage] % self.heads[stage] == 0, f"heads divide dims in stage {stage}")
            require(side % self.reductions[stage] == 0, f"the reduction divides {side} tokens a side in stage {stage}")
            if stage + 1 < self.stages:
                require(side % 2 == 0, f"the {side} tokens a side of stage {stage} can be halved")
        require(not (self.class_token and self.reductions[0] > 1), "a class token excludes reductions")

    @property
    def family(self) -> str:
        """Only pyramids have a norm after the stem."""
        return ("binaryvit" if self.stem_norm else "reactdeit") + TWIN_SUFFIX

    def twin(self) -> ViTConfig:
        """The shape without what only binary networks have."""
        return ViTConfig(**{field.name: getattr(self, field.name) for field in dataclasses.fields(ViTConfig)})

    def grid(self, stage: int) -> Grid:
        """Height and width of a stage's tokens."""
        side = self.image_size // self.patch_size // 2**stage
        return side, side

    def key_tokens(self, stage: int) -> int:
        """Number of keys and values that a stage attends to."""
        height, width = self.grid(stage)
        return height * width // self.reductions[stage] ** 2 + int(self.class_token)


@dataclass(frozen=True)
class BinaryViTConfig(ViTConfig):
    """BinaryViT (Le & Li) and its DeiT ablations.

    Args:
        average_windows: sizes of the average-pooling branches, of 3 and 5; empty for none.
        layer_scale: whether attention and MLP end in a layer scale.
        full_precision_downsampling: whether the convolutions between stages stay full precision (`some_fp`).
        norm: "batch" as published (`replace_ln_bn`), or "layer", which cannot be folded away.

    Raises:
        InputError: the sizes do not fit each other, or the binary kernels.
    """

    average_windows: tuple[int, ...] = ()
    layer_scale: bool = False
    full_precision_downsampling: bool = False
    norm: NormKind = "batch"

    @property
    def family(self) -> str:
        return super().family.removesuffix(TWIN_SUFFIX)

    def __post_init__(self) -> None:
        super().__post_init__()
        windows = self.average_windows
        require(set(windows) <= {3, 5} and list(windows) == sorted(set(windows)), "average_windows are of 3 and 5")
        require(not (self.class_token and windows), "a class token excludes average-pooling branches")
        for stage in range(self.stages):
            dim, hidden, head_dim = self.dims[stage], self.mlp_dims[stage], self.dims[stage] // self.heads[stage]
            require(hidden % dim == 0, f"dims divide mlp_dims in stage {stage}")
            require(head_dim % 8 == 0 and head_dim <= 248, f"the head width of stage {stage} is one of 8, 16, … 248")
            require(self.key_tokens(stage) <= MAX_KEY_TOKENS, f"stage {stage} has at most {MAX_KEY_TOKENS} keys")
            if stage + 1 < self.stages:
                require(self.dims[stage + 1] % dim == 0, f"the width of stage {stage} divides that of the next")


Config = TypeVar("Config", bound=ModelConfig)


def config_to_dict(config: ModelConfig) -> dict[str, Any]:
    """Plain data for manifests and metadata; `config_from_dict` is the way back."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def config_from_dict(kind: type[Config], values: dict[str, Any]) -> Config:
    """Reads what `config_to_dict` wrote; types are not coerced and unknown names refused.

    Raises:
        InputError: not a config of this kind.
    """
    adapter = TypeAdapter(with_config(kind))
    try:
        return adapter.validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
        raise InputError(f"not a model config: {problems}") from error


def with_config(kind: type[Config]) -> type[Config]:
    """`kind` with pydantic told to refuse unknown names."""
    kind.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    return kind


def require(holds: bool, rule: str) -> None:
    """Raises InputError where a config breaks a rule."""
    if not holds:
        raise InputError(f"model config breaks a rule: {rule}")


def require_sizes(*sizes: int) -> None:
    """Raises InputError where a size is not positive, or absurd."""
    require(all(1 <= size <= _MAX_SIZE for size in sizes), f"every size lies in 1 … {_MAX_SIZE}")
