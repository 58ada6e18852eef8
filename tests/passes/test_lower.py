"""Whole nets: lowering changes how a graph computes, not what."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from onnx.reference import ReferenceEvaluator

import edgebin  # noqa: F401  (before onnxruntime)
from edgebin.graph.export import export_module
from edgebin.models.binaryvit import BinaryViT
from edgebin.models.config import BinaryViTConfig
from edgebin.nn.freeze import freeze
from edgebin.passes import lower
from tests.passes.fused_reference import FUSED_OPS

NETS = {
    "class token": BinaryViTConfig(
        image_size=32, patch_size=8, classes=5, depths=(2,), dims=(64,), heads=(2,), mlp_dims=(256,)
    ),
    "branches and layer scale": BinaryViTConfig(
        image_size=32, patch_size=8, classes=5, depths=(1,), dims=(32,), heads=(2,), mlp_dims=(128,),
        class_token=False, average_windows=(3, 5), layer_scale=True,
    ),
    "pyramid": BinaryViTConfig(
        image_size=32, patch_size=4, classes=5, depths=(1, 1), dims=(16, 32), heads=(1, 2), mlp_dims=(128, 128),
        reductions=(2, 1), class_token=False, stem_norm=True, average_windows=(3, 5), layer_scale=True,
    ),
    "full-precision downsampling": BinaryViTConfig(
        image_size=32, patch_size=4, classes=5, depths=(1, 1), dims=(16, 32), heads=(1, 2), mlp_dims=(32, 64),
        reductions=(2, 1), class_token=False, stem_norm=True, full_precision_downsampling=True,
    ),
}  # fmt: skip


def random_net(config: BinaryViTConfig) -> BinaryViT:
    torch.manual_seed(5)
    net = BinaryViT(config).eval()
    for name, buffer in net.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
        elif name.endswith("running_mean"):
            buffer.normal_(0, 0.2)
    for name, parameter in net.named_parameters():
        if "move" in name or name.endswith("position_embeddings"):
            parameter.data.normal_(0, 0.2)
    return net


@pytest.fixture(scope="module", params=NETS)
def exported(request: pytest.FixtureRequest) -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    config = NETS[request.param]
    frozen = freeze(random_net(config))
    images = torch.randn(2, 3, config.image_size, config.image_size)
    with torch.no_grad():
        logits = frozen(images)
    return export_module(frozen, images), images.numpy(), logits.numpy()


@pytest.mark.parametrize("batch", [1, 2])
def test_lowered_graph_computes_what_the_module_computes(exported, batch: int) -> None:
    proto, images, logits = exported
    model = ir.from_proto(proto)
    lower(model, batch=batch)
    runner = ReferenceEvaluator(ir.to_proto(model), new_ops=FUSED_OPS)
    got = runner.run(None, {"pixel_values": images[:batch]})[0]
    # One sign that flips on a rounding error would move a logit by far more than this.
    np.testing.assert_allclose(got, logits[:batch], rtol=0, atol=2e-4 * logits.std())


def test_no_elementwise_or_concept_op_is_left(exported) -> None:
    model = ir.from_proto(exported[0])
    lower(model, batch=1)
    kinds = Counter(node.op_type for node in model.graph)
    left = set(kinds) & {
        "Add",
        "Mul",
        "Sub",
        "RPReLU",
        "SignPack",
        "BinaryLinear",
        "PlusStencil",
        "MatMul",
        "Gemm",
        "Conv",
    }
    assert not left


def test_a_layer_is_ten_kernel_calls(exported) -> None:
    """Fusion decides the end-to-end speed: a call more per layer is a regression."""
    model = ir.from_proto(exported[0])
    lower(model, batch=1)
    in_layer = [node.op_type for node in model.graph if (node.name or "").startswith("vit.encoder.layer.0.")]
    calls = Counter(kind for kind in in_layer if kind.startswith("Fused") or kind == "BinaryAttention")
    reduction = calls["FusedBinaryLinear"] == 7
    assert calls["FusedBinaryLinear"] == 6 + reduction
    assert calls["FusedRows"] <= 3 + reduction
    assert calls["BinaryAttention"] == 1
    assert calls["FusedStencil"] <= 1
