"""Counts against sums done by hand."""

import json

import onnx
import pytest
import torch

from edgebin.errors import InputError
from edgebin.graph.accounting import inspect_model
from edgebin.graph.costs import Kind
from edgebin.graph.export import export_module
from edgebin.graph.exporting import ExportResult
from edgebin.models.binaryvit import BinaryViT
from edgebin.models.config import BinaryViTConfig
from edgebin.nn.freeze import freeze

# Le & Li's DeiT-S at one layer of twelve and 10 classes. Source of the counts: 197 tokens of 384, MLP of 1536.
ONE_LAYER = BinaryViTConfig(depths=(1,), classes=10)
TOKENS, DIM, HIDDEN = 197, 384, 1536


@pytest.fixture(scope="module")
def one_layer() -> onnx.ModelProto:
    frozen = freeze(BinaryViT(ONE_LAYER).eval())
    return export_module(frozen, torch.zeros(1, 3, 224, 224))


@pytest.mark.parametrize("batch", [1, 3])
def test_operations_of_one_deit_layer(one_layer: onnx.ModelProto, batch: int) -> None:
    report = inspect_model(one_layer, batch)
    weights = 4 * DIM * DIM + 2 * DIM * HIDDEN
    assert report.binary_weights == weights
    assert report.binary_macs == batch * (TOKENS * weights + 2 * TOKENS * TOKENS * DIM)
    assert report.full_precision_macs == batch * (196 * 768 * DIM + DIM * 10)
    assert report.ops == report.binary_macs / 64 + report.full_precision_macs
    assert report.coverage == report.binary_macs / (report.binary_macs + report.full_precision_macs)


def test_every_constant_is_counted_once(exported: ExportResult) -> None:
    model = onnx.load(exported.folder / "model.onnx")
    total = sum(onnx.numpy_helper.to_array(tensor).nbytes for tensor in model.graph.initializer)
    assert exported.report.stored_bytes == total


def test_every_node_that_is_not_binary_says_why(exported: ExportResult) -> None:
    nodes = exported.report.nodes
    assert all(bool(node.reason) == (node.kind is not Kind.BINARY) for node in nodes)
    assert {node.kind for node in nodes} == set(Kind) - {Kind.TERNARY, Kind.ONE_BIT_WEIGHT}
    products = [node for node in nodes if node.kind is Kind.FULL_PRECISION]
    assert [node.reason.split(":")[0] for node in products] == ["stem", "classifier"]
    assert all(node.weight_bits == 32 * node.weights for node in products)
    assert all(node.weight_bits == node.weights for node in nodes if node.kind is Kind.BINARY)


def test_report_becomes_json(exported: ExportResult) -> None:
    plain = json.loads(json.dumps(exported.report.to_dict()))
    assert plain["binary_macs"] == sum(node["macs"] for node in plain["nodes"] if node["kind"] == "binary")
    assert plain["nodes"][0]["output_shape"][0] == plain["batch"] == 1


def test_batch_of_a_fixed_graph_cannot_be_changed(one_layer: onnx.ModelProto) -> None:
    fixed = onnx.ModelProto()
    fixed.CopyFrom(one_layer)
    fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    with pytest.raises(InputError, match="fixed at batch 1, not 2"):
        inspect_model(fixed, batch=2)


def test_inconsistent_graph_is_refused(one_layer: onnx.ModelProto) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(one_layer)
    node = next(node for node in broken.graph.node if node.op_type == "BinaryLinear")
    node.attribute[0].i = 1000
    with pytest.raises(InputError, match="do not fit"):
        inspect_model(broken)
