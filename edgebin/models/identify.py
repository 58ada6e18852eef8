"""Tells from its parameter names which system a checkpoint belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Literal

from edgebin.errors import CheckpointError

Kind = Literal["binaryvit", "vit", "bhvit", "bhvit-twin", "timm"]

_Test = Callable[[Collection[str]], bool]


def identify(names: Collection[str]) -> Kind:
    """The system whose parameters have these names: BinaryViT (its DeiT ablations included), BHViT, or a plain ViT.

    "timm" are DeiT, Swin and NesT in timm's naming, binarised as in BiViT or not: names alone do not always tell.

    Raises:
        CheckpointError: another system, which the message names where it is known.
    """
    if _any(r"vit\.encoder\.layer\.\d+\.attention\.attention\.moveq")(names):
        return "binaryvit"
    if _any(r"vit\.encoder\.layerA\.\d+\.GC\.move\.bias$")(names):
        return "bhvit"
    if _any(r"vit\.encoder\.layerA\.\d+\.mixer\.convolutions\.")(names):
        return "bhvit-twin"
    if _any(r"blocks\.\d+\.attn\.qkv\.|layers\.\d+\.blocks\.|levels\.\d+\.transformer_encoder\.")(names):
        return "timm"
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
    "a part of a BHViT (Gao et al.)": _any(r"vit\.encoder\.layer[AB]\."),
    "a ResNet": _any(r"layer1\.0\.conv1\."),
}
