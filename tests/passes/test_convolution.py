"""Convolutions as products over gathered patches give what ONNX says, whatever their attributes."""

from __future__ import annotations

import numpy as np
import pytest

from edgebin.passes.convolution import lower_convolution
from tests.passes.graphs import parse, printed, run

RANDOM = np.random.default_rng(3)


def values(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("attributes", "groups", "kernel", "size"),
    [
        ("kernel_shape = [3, 3], pads = [1, 1, 1, 1]", 1, (3, 3), (5, 7)),
        ("kernel_shape = [3, 3], pads = [3, 3, 3, 3], dilations = [3, 3], group = 2", 2, (3, 3), (5, 7)),
        ("kernel_shape = [2, 3], pads = [0, 1, 1, 2], strides = [2, 1], group = 4", 4, (2, 3), (3, 8)),
        ("kernel_shape = [3, 2], dilations = [1, 2]", 1, (3, 2), (3, 5)),
        ("kernel_shape = [1, 1]", 2, (1, 1), (5, 7)),
    ],
)
@pytest.mark.parametrize("bias", [False, True])
def test_any_convolution(
    attributes: str, groups: int, kernel: tuple[int, int], size: tuple[int, int], bias: bool
) -> None:
    if groups > 1 and "group" not in attributes:
        attributes += f", group = {groups}"
    constants = {"w": values(8, 4 // groups, *kernel)} | ({"b": values(8)} if bias else {})
    text = f"g (float[2, 4, 5, 7] x) => (float[2, 8, {size[0]}, {size[1]}] y) "
    model = parse(f"{text} {{ y = Conv <{attributes}> (x, {', '.join(constants)}) }}", constants)
    before = run(model)
    lower_convolution(model)
    assert "FusedMatMul(" in "".join(printed(model))
    assert "Conv(" not in "".join(printed(model))
    np.testing.assert_allclose(run(model)[0], before[0], rtol=1e-4, atol=1e-5)


def test_others_are_left_alone() -> None:
    for text, constants in (
        ("g (float[1, 2, 5] x) => (float[1, 3, 3] y) { y = Conv(x, w) }", {"w": values(3, 2, 3)}),
        ("g (float[1, 2, 5, 5] x, float[3, 2, 3, 3] w) => (float[1, 3, 3, 3] y) { y = Conv(x, w) }", {}),
        (
            'g (float[1, 2, 5, 5] x) => (float[1, 3, 5, 5] y) { y = Conv <auto_pad = "SAME_UPPER"> (x, w) }',
            {"w": values(3, 2, 3, 3)},
        ),
    ):
        model = parse(text, constants)
        lower_convolution(model)
        assert [node.op_type for node in model.graph] == ["Conv"]
