"""A full-precision model small enough for a test: MatMul, Relu, MatMul, on the tiny bundle's images."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.toolchain.tiny_module import CLASSES, INPUT_WIDTH


def write_twin(path: Path, hidden: int = 256) -> Path:
    """Writes the model; its batch is open, its weights are seeded."""
    generator = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(generator.standard_normal((k, n)).astype(np.float32), f"w{i}")
        for i, (k, n) in enumerate(pairwise((INPUT_WIDTH, hidden, CLASSES)))
    ]
    nodes = [
        helper.make_node("MatMul", ["pixel_values", "w0"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "w1"], ["logits"]),
    ]
    images = helper.make_tensor_value_info("pixel_values", onnx.TensorProto.FLOAT, ["batch", INPUT_WIDTH])
    logits = helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["batch", CLASSES])
    graph = helper.make_graph(nodes, "twin", [images], [logits], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path
