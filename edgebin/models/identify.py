"""Tells from its parameter names which system a checkpoint belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Literal

from edgebin.errors import CheckpointError

Kind = Literal["binaryvit", "vit"]

_Test = Callable[[Collection[str]], bool]


def identify(names: Collection[str]) -> Kind:
    """The system whose parameters have these names: BinaryViT (its DeiT ablations included), or a plain ViT.

    Raises:
        CheckpointError: another system, which the message names where it is known.
    """
    if _any(r"vit\.encoder\.layer\.\d+\.attention\.attention\.moveq")(names):
        return "binaryvit"
    for looks_like, test in _OTHER_SYSTEMS.items():
        if test(names):
            raise CheckpointError(
                f"this looks like a checkpoint of {looks_like}, which edgebin does not read",
                hint="give a checkpoint of BinaryViT (Le & Li), of its DeiT ablations, or of a full-precision twin",
            )
    if _any(r"vit\.encoder\.layer\.\d+\.attention\.attention\.query\.bias")(names):
        return "vit"
    first = ", ".join(f"`{name}`" for name in list(names)[:3])
    raise CheckpointError(
        f"no system that edgebin knows has parameters such as {first or 'none at all'}",
        hint="give a checkpoint of BinaryViT (Le & Li), of its DeiT ablations, or of a full-precision twin",
    )


def _any(pattern: str) -> _Test:
    return lambda names: any(re.match(pattern, name) for name in names)


_OTHER_SYSTEMS: dict[str, _Test] = {
    "BHViT (Gao et al., CVPR 2025)": _any(r"vit\.encoder\.layer[AB]\."),
    "BiViT (He et al., ICCV 2023)": _any(r"(blocks|layers|levels)\..*\.scaling_factor$"),
    "a ViT or DeiT in timm's naming, or of BiViT (He et al.) with analytic scales": _any(r"blocks\.\d+\.attn\.qkv\."),
    "a Swin transformer": _any(r"layers\.\d+\.blocks\.\d+\.attn\.qkv\."),
    "a NesT": _any(r"levels\.\d+\.transformer_encoder\."),
    "a ResNet": _any(r"layer1\.0\.conv1\."),
}
