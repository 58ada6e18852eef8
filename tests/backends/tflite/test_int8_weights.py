"""Products with int8 weights stay near those with floats, in every stock runtime."""

from __future__ import annotations

import numpy as np
import pytest

from edgebin.backends.tflite.models import build_float_model
from tests.backends.tflite.onnx_graphs import expected, graph_of, model_of, random_inputs
from tests.backends.tflite.runtimes import RUNTIMES, parameters

TEXT = (
    "g (float[2,9,64] x) => (float[2,9,32] y) { h = MatMul(x, w) b = Add(h, c) g = Gelu(b) y = MatMul(g, v) }"
)  # fmt: skip


@pytest.mark.parametrize("run", parameters(RUNTIMES))
def test_rows_of_very_different_size_are_not_lost(run) -> None:
    random = np.random.default_rng(0)
    weight = random.normal(size=(64, 128)).astype(np.float32) / 8
    weight[:, ::2] /= 4
    constants = {
        "w": weight,
        "c": random.normal(size=128).astype(np.float32),
        "v": random.normal(size=(128, 32)).astype(np.float32) / 11,
    }
    proto = model_of(TEXT, constants)
    inputs = random_inputs(proto)
    floats, bytes_ = (build_float_model(graph_of(proto), 2, int8=int8) for int8 in (False, True))
    assert len(bytes_.content) < len(floats.content) - 2 * weight.nbytes // 4
    (want,), (got,) = expected(proto, inputs), run(bytes_.content, inputs)
    # 8 bits of weight and of activation each round by up to 1/254 of their largest, about 4 deviations: 1 % in all.
    assert np.abs(got - want).std() < 0.02 * want.std()
