"""A small trained-looking binary network as a checkpoint, and its export."""

from pathlib import Path

import pytest
import torch

from edgebin.graph.exporting import ExportResult, export_checkpoint
from edgebin.models.binaryvit import BinaryViT
from edgebin.models.checkpoint import save_checkpoint
from edgebin.models.config import BinaryViTConfig

# Two stages with pooled keys, side branches and layer scale: every concept op occurs. Rows of 24 bits are padded.
SMALL_CONFIG = BinaryViTConfig(
    image_size=32,
    patch_size=4,
    classes=10,
    depths=(1, 1),
    dims=(24, 48),
    heads=(1, 2),
    mlp_dims=(48, 96),
    reductions=(2, 1),
    class_token=False,
    stem_norm=True,
    average_windows=(3, 5),
    layer_scale=True,
)


def small_network(config: BinaryViTConfig = SMALL_CONFIG) -> BinaryViT:
    """Parameters and statistics drawn so that no channel is idle and no sign is constant."""
    generator = torch.Generator().manual_seed(11)
    network = BinaryViT(config).eval()
    for name, value in network.state_dict().items():
        if not value.is_floating_point():
            continue
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith("att_prob_clip"):
            value.fill_(0.02)
        elif value.ndim > 1:
            value.normal_(0, 0.1, generator=generator)
        else:
            value.add_(torch.randn(value.shape, generator=generator), alpha=0.2)
    return network


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    save_checkpoint(path, small_network())
    return path


@pytest.fixture(scope="session")
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    return export_checkpoint(checkpoint, tmp_path_factory.mktemp("export") / "small", samples=3)
