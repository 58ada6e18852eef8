"""Composition of epilogues: whatever is accepted computes the same as one step after the other."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebin.passes.epilogue import Epilogue
from tests.passes.fused_reference import finish

COLUMNS, ROWS = 4, 3
STEPS = ("scale", "bias", "residual", "half residual", "rprelu", "layer scale", "skip")


def tensor(name: str, columns: int) -> ir.Value:
    return ir.Value(name=name, shape=ir.Shape([ROWS, columns]), type=ir.TensorType(ir.DataType.FLOAT))


class Chain:
    """Steps with random constants, as epilogues of one step each and as plain arithmetic."""

    def __init__(self, steps: list[str], seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.arrays: dict[str, np.ndarray] = {}
        self.epilogues = [self.step(name, index) for index, name in enumerate(steps)]

    def vector(self) -> np.ndarray:
        return self.random.normal(size=COLUMNS)

    def operand(self, index: int, columns: int) -> ir.Value:
        value = tensor(f"t{index}", columns)
        self.arrays[value.name] = self.random.normal(size=(ROWS, columns))
        return value

    def step(self, name: str, index: int) -> Epilogue:
        match name:
            case "scale":
                return Epilogue(scale=self.vector())
            case "bias":
                return Epilogue(bias=self.vector())
            case "residual":
                return Epilogue(residuals=(self.operand(index, COLUMNS),))
            case "half residual":
                return Epilogue(residuals=(self.operand(index, COLUMNS // 2),))
            case "rprelu":
                return Epilogue(bias=self.vector(), slope=self.vector(), offset=self.vector())
            case "layer scale":
                return Epilogue(gain=self.vector(), shift=self.vector())
            case _:
                return Epilogue(skip=self.operand(index, COLUMNS))

    def run(self, epilogue: Epilogue, x: np.ndarray) -> np.ndarray:
        named = {
            name: getattr(epilogue, name)
            for name in ("scale", "bias", "slope", "offset", "gain", "shift")
            if getattr(epilogue, name) is not None
        }
        named |= {f"residual{i}": self.arrays[value.name] for i, value in enumerate(epilogue.residuals)}
        if epilogue.skip is not None:
            named["skip"] = self.arrays[epilogue.skip.name]
        (out,) = finish(x, tuple(named.values()), " ".join(named), "out", 1)
        return out


@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=6), st.integers(0, 2**16))
@settings(max_examples=300, deadline=None)
def test_composed_epilogue_equals_its_steps(steps: list[str], seed: int) -> None:
    chain = Chain(steps, seed)
    x = chain.random.normal(size=(ROWS, COLUMNS))
    merged: Epilogue | None = chain.epilogues[0]
    want = chain.run(chain.epilogues[0], x)
    for following in chain.epilogues[1:]:
        merged = merged.then(following, columns=COLUMNS)
        if merged is None:
            return
        want = chain.run(following, want)
    np.testing.assert_allclose(chain.run(merged, x), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("steps", "fits"),
    [
        (["scale", "bias", "residual", "rprelu", "layer scale", "skip"], True),
        (["residual", "residual", "residual"], True),
        (["residual", "residual", "residual", "residual"], True),  # the fourth is the skip
        (["residual", "residual", "residual", "half residual"], False),
        (["rprelu", "rprelu"], False),
        (["skip", "scale"], False),
        (["rprelu", "skip", "bias"], False),
        (["rprelu", "skip", "skip"], False),
        (["layer scale", "rprelu"], False),
    ],
)
def test_what_fits_one_kernel_call(steps: list[str], fits: bool) -> None:
    chain = Chain(steps, seed=0)
    merged: Epilogue | None = chain.epilogues[0]
    for following in chain.epilogues[1:]:
        assert merged is not None
        merged = merged.then(following, columns=COLUMNS)
    assert (merged is not None) is fits


def test_nothing_follows_bits_or_a_pool() -> None:
    assert Epilogue(thresholds=(np.zeros(COLUMNS),)).then(Epilogue(), columns=COLUMNS) is None
    assert Epilogue(pool=4).then(Epilogue(), columns=COLUMNS) is None
