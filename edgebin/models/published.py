"""What has been published about the networks known by name, and which other systems have nearly the same names.

Accuracies are of ImageNet-1k validation at 224×224. A figure whose source could not be read is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgebin.models.config import TWIN_SUFFIX


@dataclass(frozen=True)
class Published:
    """Figures as they are printed, with as many digits.

    Args:
        source: where all of them stand.
        top1_percent: accuracy.
        ops_g: 10^9 OPs, layer norms counted too.
        size_mb: 10^6 bytes.
        note: what else one should know of them.
    """

    source: str
    top1_percent: float
    ops_g: float | None = None
    size_mb: float | None = None
    note: str = ""


@dataclass(frozen=True)
class System:
    """Whose networks these are, what they are not, and how their papers count.

    Args:
        counts_norms: whether OPs contain the layer norms, and sizes all parameters but the biases and scales of 1-bit
            layers; otherwise both know the weights of dense layers and convolutions only.
    """

    title: str
    beware: str = ""
    counts_norms: bool = False


_BHVIT_README = "README of the authors' code (IMRL/BHViT at 4093f5b)"
_BIVIT_PAPER = "He et al., BiViT (ICCV 2023, arXiv 2211.07091v2), results on ImageNet"

_PUBLISHED: dict[str, Published] = {
    "bhvit-tiny": Published(_BHVIT_README, 64.0),
    "bhvit-tiny-fdl": Published(_BHVIT_README, 66.0),
    "bhvit-small": Published(_BHVIT_README, 68.4),
    "bhvit-small-fdl": Published(_BHVIT_README, 70.1),
    "binaryvit-small": Published("quoted by Gao et al., BHViT (CVPR 2025, arXiv 2503.02394)", 67.7),
    "bivit-deit-t": Published(_BIVIT_PAPER, 37.9, 0.39, 2.22),
    "bivit-deit-b": Published(_BIVIT_PAPER, 69.6, 5.81, 16.8),
    "bivit-swin-t": Published(_BIVIT_PAPER, 70.8, 1.62, 12.6),
    "bivit-swin-s": Published(_BIVIT_PAPER, 75.6, 3.04, 15.4),
    "bivit-nest-t": Published(_BIVIT_PAPER, 68.7, 2.49, 8.96),
    "bivit-nest-s": Published(_BIVIT_PAPER, 74.9, 3.92, 11.7, note="the paper's Table 4 prints 74.0 %"),
    "bivit-deit-t" + TWIN_SUFFIX: Published(_BIVIT_PAPER, 71.7, 1.26, 22.8),
    "bivit-deit-b" + TWIN_SUFFIX: Published(_BIVIT_PAPER, 81.8, 17.6, 346.3),
    "bivit-swin-t" + TWIN_SUFFIX: Published(_BIVIT_PAPER, 81.2, 4.51, 113.2),
    "bivit-swin-s" + TWIN_SUFFIX: Published(_BIVIT_PAPER, 83.2, 8.77, 198.4),
    "bivit-nest-t" + TWIN_SUFFIX: Published(_BIVIT_PAPER, 81.1, 5.83, 68.4),
    "bivit-nest-s" + TWIN_SUFFIX: Published(_BIVIT_PAPER, 83.3, 10.4, 153.4),
}

_OTHER_BIVITS = (
    "not `BiViT: Exploring Binary Vision Transformers` (withdrawn from ICLR 2023), Bi-ViT (Li et al., AAAI 2024) or"
    " SI-BiViT (ACM MM 2024)"
)
# By how a model's id starts; the first that fits counts.
_SYSTEMS: dict[str, System] = {
    "bhvit": System("BHViT (Gao et al., CVPR 2025)", "there is no base size; its code calls the model type `dbhvit`"),
    "binaryvit": System(
        "BinaryViT (Le & Li, CVPRW 2023)", "not BinaryViT of Xiao et al. (arXiv 2305.14730), which is another system"
    ),
    "reactdeit": System("DeiT-S as in the ablation of BinaryViT (Le & Li, CVPRW 2023)"),
    "bivit-nest": System(
        "BiViT (He et al., ICCV 2023)",
        f"{_OTHER_BIVITS}; timm's `jx_nest_*` pads otherwise and is another network",
        True,
    ),
    "bivit": System("BiViT (He et al., ICCV 2023)", _OTHER_BIVITS, True),
}


def published(model_id: str) -> Published | None:
    """What has been published about a network, if anything."""
    return _PUBLISHED.get(model_id)


def system_of(model_id: str) -> System:
    """The system that a model id belongs to."""
    return next(system for start, system in _SYSTEMS.items() if model_id.startswith(start))
