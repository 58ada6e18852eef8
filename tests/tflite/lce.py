"""Models of Larq Compute Engine's ops, and what the ops mean in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.tflite.model import Model

Array = npt.NDArray[Any]
SAME, VALID = 0, 1
ACTIVATIONS = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}


def pack(negative: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """[..., channels] → [..., words]."""
    padding = [(0, 0)] * (negative.ndim - 1) + [(0, -negative.shape[-1] % 32)]
    return np.ascontiguousarray(np.packbits(np.pad(negative, padding), axis=-1, bitorder="little")).view("<i4")


@dataclass(frozen=True)
class Conv:
    """A case of LceBconv2d."""

    channels: int
    outputs: int
    size: tuple[int, int] = (5, 7)
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    padding: int = VALID
    pad_value: int = 0
    activation: int = 0
    batch: int = 1
    output: str = "float32"

    @property
    def k(self) -> int:
        return self.kernel[0] * self.kernel[1] * self.channels // self.groups


@dataclass(frozen=True)
class Values:
    """Random values for a case; multipliers of both signs."""

    x: Array
    weight: Array
    multiplier: Array
    bias: Array
    thresholds: Array

    @classmethod
    def of(cls, case: Conv, seed: int = 0) -> Values:
        random = np.random.default_rng(seed)
        thresholds = random.integers(-2, case.k + 3, case.outputs)
        thresholds[:2] = (-(2**31), 2**31 - 1)[: case.outputs]
        return cls(
            random.standard_normal((case.batch, *case.size, case.channels), dtype=np.float32),
            random.standard_normal((case.outputs, *case.kernel, case.channels // case.groups), dtype=np.float32),
            random.standard_normal(case.outputs, dtype=np.float32) * np.float32(0.1),
            random.standard_normal(case.outputs, dtype=np.float32),
            thresholds.astype(np.int32),
        )


SCALE, ZERO_POINT = 0.25, -3


def _axis(size: int, taps: int, stride: int, dilation: int, padding: int) -> tuple[int, int]:
    """Outputs, and padding before the first."""
    reach = (taps - 1) * dilation + 1
    if padding == VALID:
        return (size - reach) // stride + 1, 0
    out = -(-size // stride)
    return out, max((out - 1) * stride + reach - size, 0) // 2


def sums(case: Conv, values: Values) -> Array:
    """[batch, height, width, outputs] int64: the products of signs."""
    x = np.where(values.x < 0, -1, 1)
    weight = np.where(values.weight < 0, -1, 1)
    rows, top = _axis(case.size[0], case.kernel[0], case.stride[0], case.dilation[0], case.padding)
    columns, left = _axis(case.size[1], case.kernel[1], case.stride[1], case.dilation[1], case.padding)
    total = np.zeros((case.batch, rows, columns, case.outputs), np.int64)
    depth, each = case.channels // case.groups, case.outputs // case.groups
    for i in range(rows):
        for j in range(columns):
            for dy in range(case.kernel[0]):
                for dx in range(case.kernel[1]):
                    y = i * case.stride[0] - top + dy * case.dilation[0]
                    x_ = j * case.stride[1] - left + dx * case.dilation[1]
                    inside = 0 <= y < case.size[0] and 0 <= x_ < case.size[1]
                    pixel = x[:, y, x_] if inside else np.full((case.batch, case.channels), case.pad_value)
                    for g in range(case.groups):
                        mine = slice(g * each, (g + 1) * each)
                        total[:, i, j, mine] += pixel[:, g * depth : (g + 1) * depth] @ weight[mine, dy, dx].T
    return total


def expected(case: Conv, values: Values) -> Array:
    """Floats in float64, int8 values before they are rounded, or words."""
    total = sums(case, values)
    if case.output == "int32":
        return pack((case.k - total) // 2 > values.thresholds)
    low, high = ACTIVATIONS[case.activation]
    result = np.clip(total, low, high) * values.multiplier.astype(np.float64) + values.bias
    return result / SCALE + ZERO_POINT if case.output == "int8" else result


def conv_options(case: Conv) -> dict[str, int]:
    return {
        "channels_in": case.channels,
        "dilation_height_factor": case.dilation[0],
        "dilation_width_factor": case.dilation[1],
        "fused_activation_function": case.activation,
        "pad_values": case.pad_value,
        "padding": case.padding,
        "stride_height": case.stride[0],
        "stride_width": case.stride[1],
    }


def conv_model(case: Conv, values: Values, *, constant_filter: bool = True, **options: Any) -> bytes:
    """x → LceQuantize → LceBconv2d; without a constant filter, that is the second input, words."""
    model = Model()
    x = model.input("x", values.x.shape)
    words = pack(values.weight < 0)
    bits = model.tensor("bits", (*values.x.shape[:3], -(-case.channels // 32)), "int32")
    weight = model.constant("filter", words) if constant_filter else model.input("filter", words.shape, "int32")
    shape = sums(case, values).shape if case.batch else (0, 1, 1, case.outputs)
    if case.output == "int32":
        y = model.tensor("y", (*shape[:3], -(-case.outputs // 32)), "int32")
        vectors = [-1, -1, model.constant("thresholds", values.thresholds)]
    else:
        quantization = {"scale": SCALE, "zero_point": ZERO_POINT} if case.output == "int8" else {}
        y = model.tensor("y", shape, case.output, **quantization)
        vectors = [model.constant("multiplier", values.multiplier), model.constant("bias", values.bias), -1]
    model.custom("LceQuantize", [x], [bits])
    model.custom("LceBconv2d", [bits, weight, *vectors], [y], conv_options(case) | options)
    model.outputs = [y]
    return model.write()
