"""Small networks of every system through the whole lowering and the compiler, on the best path and on the reference."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch

import edgebin  # noqa: F401  (before onnxruntime)
from edgebin.graph.export import export_module
from edgebin.kernels.select import host_paths
from edgebin.models.bhvit_config import BHViTConfig
from edgebin.models.config import ModelConfig
from edgebin.models.registry import construct
from edgebin.models.timm_config import DeiTConfig, NesTConfig, SwinConfig
from edgebin.nn.freeze import freeze
from edgebin.passes import lower
from tests.backends.test_tvm import build, run

BHVIT = BHViTConfig(
    image_size=32, patch_size=2, classes=5, depths=(1, 1, 1, 1), dims=(16, 32, 64, 128), mlp_dims=(32, 64, 128, 256),
    heads=(2, 2), window=2,
)  # fmt: skip
DEIT = DeiTConfig(image_size=16, patch_size=4, classes=5, depths=(2,), dims=(64,), heads=(1,), mlp_dims=(128,))
NETS: dict[str, ModelConfig] = {
    "bhvit": BHVIT,
    "bhvit gsb": replace(BHVIT, gsb=True),
    "bivit deit": DEIT,
    "bivit deit, binary mlp": replace(DEIT, mlp="w1a1_pws"),
    "bivit swin": SwinConfig(
        image_size=64, classes=5, depths=(2, 2), dims=(32, 64), heads=(1, 2), mlp_dims=(64, 128), window=4
    ),
    "bivit nest": NesTConfig(image_size=32, classes=5, depths=(1, 1), dims=(32, 64), heads=(1, 2), mlp_dims=(64, 128)),
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_compiled_network_computes_what_pytorch_computes(name: str, tmp_path: Path) -> None:
    config = NETS[name]
    torch.manual_seed(3)
    network = construct(config)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    frozen = freeze(network.eval())
    images = torch.randn(2, 3, config.image_size, config.image_size)
    with torch.no_grad():
        logits = frozen(images).numpy()
    proto = export_module(frozen, images)
    results = []
    for path in (host_paths()[0], "scalar"):
        model = ir.from_proto(proto)
        lower(model, batch=2)
        results.append(run(build(model, path, tmp_path).library, images.numpy()))
    np.testing.assert_array_equal(results[0], results[1])
    # Where no sign flips, rounding is all that differs.
    np.testing.assert_allclose(results[0], logits, rtol=0, atol=1e-3 * logits.std())


def test_no_binary_operation_becomes_a_float_one() -> None:
    for name, config in NETS.items():
        frozen = freeze(construct(config).eval())
        proto = export_module(frozen, torch.zeros(2, 3, config.image_size, config.image_size))
        binary = Counter(node.op_type for node in proto.graph.node if node.domain == "edgebin")
        model = ir.from_proto(proto)
        lower(model, batch=1)
        fused = Counter(node.op_type for node in model.graph if node.domain == "edgebin")
        for concept, call in (
            ("BinaryLinear", "FusedBinaryLinear"),
            ("TernaryLinear", "FusedTernaryLinear"),
            ("SignedLinear", "FusedSignedLinear"),
            ("BinaryConv2d", "FusedBinaryConv"),
            *((kind, kind) for kind in ("BinaryAttention", "RelativeAttention", "BiasedAttention")),
        ):
            assert fused[call] == binary[concept], f"{name}: {concept}"
