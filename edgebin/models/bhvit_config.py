"""Sizes and switches of BHViT, and the shape of its full-precision twin."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

from edgebin.models.config import TWIN_SUFFIX, ModelConfig, require, require_sizes
from edgebin.nn.attention import MAX_KEY_TOKENS
from edgebin.nn.norm import NormKind
from edgebin.nn.tokens import Grid

STAGES = 4
CONV_STAGES = 2  # the others attend
CONV_GROUPS = 4
CONV_DILATIONS = (1, 3, 5)


@dataclass(frozen=True)
class HybridConfig(ModelConfig):
    """Two stages of convolutions, then two of attention within windows; between two stages 2×2 tokens become one.

    Args:
        patch_size: height and width of a patch, pixels.
        depths, dims: of the four stages.
        mlp_dims: hidden width of each stage's MLP.
        heads: attention heads of the third and the fourth stage.
        window: tokens a side of an attention window, in both stages that attend.

    Raises:
        InputError: the sizes do not fit each other.
    """

    patch_size: int = 4
    depths: tuple[int, ...] = (2, 2, 6, 2)
    dims: tuple[int, ...] = (64, 128, 256, 512)
    mlp_dims: tuple[int, ...] = (512, 1024, 1024, 2048)
    heads: tuple[int, ...] = (4, 8)
    window: int = 7

    def __post_init__(self) -> None:
        super().__post_init__()
        require_sizes(self.patch_size, self.window, *self.mlp_dims, *self.heads)
        sizes = {len(values) for values in (self.depths, self.dims, self.mlp_dims)}
        require(sizes == {STAGES}, f"there are {STAGES} stages")
        require(len(self.heads) == STAGES - CONV_STAGES, "heads are those of the last two stages")
        require(self.image_size % self.patch_size == 0, "patch_size divides image_size")
        side, halvings = self.grid(0)[0], 2 ** (STAGES - 1)
        require(side % halvings == 0, f"the {side} tokens a side of stage 1 can be halved {STAGES - 1} times")
        for stage, dim in enumerate(self.dims):
            require(dim % CONV_GROUPS == 0, f"the width of stage {stage + 1} is a multiple of {CONV_GROUPS}")
            if stage >= CONV_STAGES:
                side, heads = self.grid(stage)[0], self.heads[stage - CONV_STAGES]
                require(dim % heads == 0, f"heads divide dims in stage {stage + 1}")
                require(
                    side % self.window == 0,
                    f"the window of {self.window} tokens divides the {side} tokens a side of stage {stage + 1}",
                )

    @property
    def family(self) -> str:
        return "bhvit" + TWIN_SUFFIX

    def identity(self) -> Self:
        """Fine-tuning at another size of images may need other windows."""
        if self.patch_size != HybridConfig.patch_size:
            return super().identity()
        published = HybridConfig
        return dataclasses.replace(super().identity(), image_size=published.image_size, window=published.window)

    def twin(self) -> HybridConfig:
        """The shape without what only binary networks have."""
        return HybridConfig(**{field.name: getattr(self, field.name) for field in dataclasses.fields(HybridConfig)})

    def grid(self, stage: int) -> Grid:
        """Height and width of a stage's tokens."""
        side = self.image_size // self.patch_size // 2**stage
        return side, side

    def windows(self, stage: int) -> int:
        """Number of attention windows of a stage, which is also the number of its merge tokens."""
        height, width = self.grid(stage)
        return height * width // self.window**2


@dataclass(frozen=True)
class BHViTConfig(HybridConfig):
    """BHViT (Gao et al.).

    Args:
        full_precision_downsampling: whether the convolutions between stages stay full precision (`some_fp`).
        gsb: whether attention uses the published code's option of that name instead of quantization decomposition.
        shifts: sizes of the shift branches, of 3 and 5; empty for none.
        layer_scale: whether attention and MLP end in a layer scale.
        norm: "batch" as published (`replace_ln_bn`), or "layer", which cannot be folded away.

    Raises:
        InputError: the sizes do not fit each other, or the binary kernels.
    """

    full_precision_downsampling: bool = False
    gsb: bool = False
    shifts: tuple[int, ...] = (3, 5)
    layer_scale: bool = True
    norm: NormKind = "batch"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(set(self.shifts) <= {3, 5} and list(self.shifts) == sorted(set(self.shifts)), "shifts are of 3 and 5")
        for stage in range(STAGES):
            require(self.mlp_dims[stage] % self.dims[stage] == 0, f"dims divide mlp_dims in stage {stage + 1}")
            if stage + 1 < STAGES:
                divides = self.dims[stage + 1] % self.dims[stage] == 0
                require(divides, f"the width of stage {stage + 1} divides that of the next")
            if stage >= CONV_STAGES:
                head_dim = self.dims[stage] // self.heads[stage - CONV_STAGES]
                fits = head_dim % 8 == 0 and head_dim <= 248
                require(fits, f"the head width of stage {stage + 1} is one of 8, 16, … 248")
                keys = self.window**2 + self.windows(stage)
                require(keys <= MAX_KEY_TOKENS, f"stage {stage + 1} has at most {MAX_KEY_TOKENS} keys")

    @property
    def family(self) -> str:
        return "bhvit"

    @property
    def macs_of_repeated_merge_tokens(self) -> int:
        """Binary multiply-accumulates per image that published counts contain and the inference form does not run.

        The published code computes queries, keys and values of an image's merge tokens once for each window.
        """
        return sum(
            self.depths[stage] * self.windows(stage) * (self.windows(stage) - 1) * 3 * self.dims[stage] ** 2
            for stage in range(CONV_STAGES, STAGES)
        )
