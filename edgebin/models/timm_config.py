"""Shapes of the transformers that BiViT binarises, DeiT, Swin and NesT, and which of their parts are binary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from edgebin.models.config import TWIN_SUFFIX, ModelConfig, require, require_sizes
from edgebin.nn.attention import MAX_KEY_TOKENS
from edgebin.nn.tokens import Grid

AttentionKind = Literal["full-precision", "softmax-aware", "baseline"]
MlpMode = Literal["fp", "w1a32_ste", "w1a32_pws", "w1a1_ste", "w1a1_pws"]
MLP_MODES: dict[MlpMode, str] = {
    "fp": "full precision, as after the first half of BiViT's training",
    "w1a32_ste": "1-bit weights with scales mean|W|, float activations",
    "w1a32_pws": "1-bit weights with learned scales, float activations (the paper's ImageNet setting)",
    "w1a1_ste": "1-bit weights with scales mean|W|, 1-bit activations",
    "w1a1_pws": "1-bit weights with learned scales, 1-bit activations",
}


@dataclass(frozen=True)
class TimmConfig(ModelConfig):
    """What the three backbones have in common; parameters are named as timm names them.

    Args:
        patch_size: height and width of a patch, pixels.
        heads: attention heads of each stage.
        mlp_dims: hidden width of each stage's MLP.
        attention: "softmax-aware" (BiViT), "baseline" (what its paper compares with) or "full-precision".
        mlp: which weights and activations of the MLPs are binary, see `MLP_MODES`.

    Raises:
        InputError: the sizes do not fit each other, or the binary kernels.
    """

    backbone: ClassVar[str]

    patch_size: int = 16
    heads: tuple[int, ...] = (6,)
    mlp_dims: tuple[int, ...] = (1536,)
    attention: AttentionKind = "softmax-aware"
    mlp: MlpMode = "w1a32_pws"

    def __post_init__(self) -> None:
        super().__post_init__()
        stages = (self.depths, self.dims, self.heads, self.mlp_dims)
        require(len({len(values) for values in stages}) == 1, "every per-stage list has one entry for each stage")
        require_sizes(self.patch_size, *self.heads, *self.mlp_dims)
        require(self.image_size % self.patch_size == 0, "patch_size divides image_size")
        require(self.mlp in MLP_MODES, f"mlp is one of {', '.join(MLP_MODES)}")
        require(self.is_binary or self.mlp == "fp", "a binary MLP needs a binary attention")
        for stage in range(self.stages):
            dim, heads = self.dims[stage], self.heads[stage]
            require(dim % heads == 0, f"heads divide dims in stage {stage}")
            head_dim = dim // heads
            require(head_dim % 8 == 0 and head_dim <= 248, f"the head width of stage {stage} is one of 8, 16, … 248")

    @property
    def family(self) -> str:
        return f"bivit-{self.backbone}" + ("" if self.is_binary else TWIN_SUFFIX)

    def identity(self) -> Self:
        """BiViT's networks keep their name whatever is binary in their MLPs."""
        return replace(super().identity(), mlp="fp")

    def twin(self) -> Self:
        """The same shape with nothing binary."""
        return replace(self, attention="full-precision", mlp="fp")

    @property
    def is_binary(self) -> bool:
        """Whether this is a binary network and not its full-precision twin."""
        return self.attention != "full-precision"

    def grid(self, stage: int) -> Grid:
        """Height and width of a stage's tokens."""
        side = self.image_size // self.patch_size // 2**stage
        return side, side


@dataclass(frozen=True)
class DeiTConfig(TimmConfig):
    """DeiT: one stage, all tokens and a class token attend to all.

    Source: Touvron et al., DeiT (ICML 2021).
    """

    backbone: ClassVar[str] = "deit"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.stages == 1, "a DeiT has one stage")
        require(self.grid(0)[0] ** 2 + 1 <= MAX_KEY_TOKENS, f"there are at most {MAX_KEY_TOKENS} tokens")


@dataclass(frozen=True)
class SwinConfig(TimmConfig):
    """Swin: attention within windows, every other block with the windows shifted by half; between stages merging.

    Args:
        window: tokens a side of an attention window.

    Source: Liu et al., Swin (ICCV 2021).
    """

    backbone: ClassVar[str] = "swin"

    patch_size: int = 4
    depths: tuple[int, ...] = (2, 2, 6, 2)
    dims: tuple[int, ...] = (96, 192, 384, 768)
    heads: tuple[int, ...] = (3, 6, 12, 24)
    mlp_dims: tuple[int, ...] = (384, 768, 1536, 3072)
    window: int = 7

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.attention != "baseline", "the baseline attention is defined without a position bias, not for Swin")
        require(self.window >= 1 and self.window**2 <= MAX_KEY_TOKENS, "the window is of a reasonable size")
        for stage in range(self.stages):
            side = self.grid(stage)[0]
            require(side % self.window_of(stage) == 0 and side > 0, f"windows divide {side} tokens a side")
            require(stage + 1 == self.stages or side % 2 == 0, f"the {side} tokens a side of a stage can be halved")

    def window_of(self, stage: int) -> int:
        """Side of a stage's windows: the whole grid where that is smaller."""
        return min(self.window, self.grid(stage)[0])

    def shift_of(self, stage: int, block: int) -> int:
        """How far a block's windows are shifted: every other by half a window, unless one window is all."""
        window = self.window_of(stage)
        return window // 2 if block % 2 and window < self.grid(stage)[0] else 0


@dataclass(frozen=True)
class NesTConfig(TimmConfig):
    """NesT: attention within square blocks of tokens of one size; a stage ends in a convolution and a pooling by two.

    The last stage has one block, each stage before four times as many.

    Source: Zhang et al., NesT (AAAI 2022).
    """

    backbone: ClassVar[str] = "nest"

    patch_size: int = 4
    depths: tuple[int, ...] = (2, 2, 8)
    dims: tuple[int, ...] = (96, 192, 384)
    heads: tuple[int, ...] = (3, 6, 12)
    mlp_dims: tuple[int, ...] = (384, 768, 1536)

    def __post_init__(self) -> None:
        super().__post_init__()
        side, parts = self.grid(0)[0], 2 ** (self.stages - 1)
        require(side % parts == 0, f"the {side} tokens a side of the first stage can be halved {self.stages - 1} times")
        require((side // parts) ** 2 <= MAX_KEY_TOKENS, f"a block has at most {MAX_KEY_TOKENS} tokens")

    @property
    def block_side(self) -> int:
        """Tokens a side of a block."""
        return self.grid(self.stages - 1)[0]
