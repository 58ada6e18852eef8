"""BHViT as ONNX: every variant is verified against stock onnxruntime, and what is binary stays binary."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
import pytest

from edgebin.graph.costs import Kind
from edgebin.graph.exporting import export_checkpoint
from edgebin.graph.ops import DOMAIN
from edgebin.models.checkpoint import save_checkpoint
from edgebin.models.classifier import ImageClassifier
from tests.models.test_bhvit import VARIANTS, random_network

# Attention maps of the two layers that attend.
ATTENTIONS = {
    "quantization decomposition": {"BinaryAttention": 2},
    "gsb": {"BinaryAttention": 2, "RelativeAttention": 4},
    "full-precision downsampling": {"BinaryAttention": 2},
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_binary_layers_stay_binary(name: str, tmp_path: Path) -> None:
    config = VARIANTS[name]
    model = random_network(config)
    assert isinstance(model, ImageClassifier)
    save_checkpoint(tmp_path / "a.safetensors", model)
    result = export_checkpoint(tmp_path / "a.safetensors", tmp_path / "out", samples=2)
    graph = onnx.load(result.folder / "model.onnx").graph
    ours = Counter(node.op_type for node in graph.node if node.domain == DOMAIN)
    assert {op: count for op, count in ours.items() if op.endswith("Attention")} == ATTENTIONS[name]
    assert ours["BinaryConv2d"] == 2 * 3
    assert ours["PlusStencil"] == 4
    downsamplings = 0 if name == "full-precision downsampling" else 3
    # Two MLP layers each of four blocks, query, key, value and output of two.
    assert ours["BinaryLinear"] == 4 * 2 + 2 * 4 + downsamplings
    full_precision = [node.name for node in result.report.nodes if node.kind is Kind.FULL_PRECISION]
    assert len(full_precision) == 2 + 3 - downsamplings  # stem and classifier


def test_the_twin_has_nothing_binary(tmp_path: Path) -> None:
    model = random_network(VARIANTS["twin"])
    assert isinstance(model, ImageClassifier)
    save_checkpoint(tmp_path / "a.safetensors", model)
    result = export_checkpoint(tmp_path / "a.safetensors", tmp_path / "out", samples=2)
    assert result.manifest.full_precision
    assert not any(node.domain == DOMAIN for node in onnx.load(result.folder / "model.onnx").graph.node)
