"""Files are untrusted: nodes changed at random run or are refused, and write nowhere but into their results."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from tests.kernels.dispatch_cases import Array, cases, concept_cases
from tests.kernels.node_abi import MAX_RANK, Dispatch, Refused
from tests.kernels.test_dispatch import dispatch  # noqa: F401  (a fixture)

CASES = [*cases(), *concept_cases()]
SIZES = (0, 1, 2, 3, 4, 8, 15, 16, 36, 64)
INTEGERS = (-(2**63), -1, 0, 1, 2, 3, 5, 8, 24, 36, 63, 64, 65, 200, 248, 256, 1025, 2**22, 2**31, 2**62)
NAMES = ("k", "pool", "heads", "head_dim", "drop", "groups", "channels", "kernel", "dilation", "circular")
WORDS = (
    *("scale", "bias", "residual0", "residual1", "slope", "gain", "shift", "skip", "threshold0", "threshold1"),
    *("out", "bits0", "bits1", "context", "y", "z"),
)
TYPES = (np.float32, np.uint8, np.int32, np.int64, np.float16)


def mutated(array: Array, choice: random.Random) -> Array:
    """Another shape, rank or type."""
    shape, dtype = list(array.shape), array.dtype
    kind = choice.randrange(4)
    if kind == 0 and shape:
        shape[choice.randrange(len(shape))] = choice.choice(SIZES)
    elif kind == 1 and len(shape) < MAX_RANK:
        shape.insert(choice.randint(0, len(shape)), choice.choice((1, 2)))
    elif kind == 2 and shape:
        shape.pop(choice.randrange(len(shape)))
    else:
        dtype = np.dtype(choice.choice(TYPES))
    return np.frombuffer(choice.randbytes(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape).copy()


def mutate(inputs: list[Array], attributes: dict[str, Any], choice: random.Random) -> None:
    kind = choice.randrange(6)
    if kind == 0:
        attributes[choice.choice(NAMES)] = choice.choice(INTEGERS)
    elif kind == 1:
        name = choice.choice(("operands", "results"))
        words = attributes.get(name, "").split()
        words.insert(choice.randint(0, len(words)), choice.choice(WORDS))
        attributes[name] = " ".join(choice.sample(words, choice.randint(0, len(words))))
    elif kind == 2:
        shapes = ("x".join(str(choice.choice(SIZES)) for _ in range(choice.randint(0, 9))) for _ in range(3))
        attributes["shapes"] = " ".join(shapes)
    elif kind == 3:
        inputs.pop(choice.randrange(len(inputs)))
    else:
        index = choice.randrange(len(inputs))
        inputs[index] = mutated(inputs[index], choice)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_nodes_run_or_are_refused(dispatch: Dispatch, seed: int) -> None:  # noqa: F811
    choice, ran = random.Random(seed), 0
    for _ in range(500):
        case = choice.choice(CASES)
        inputs, attributes = list(case.inputs), dict(case.attributes)
        for _ in range(choice.randint(1, 2)):
            if inputs:
                mutate(inputs, attributes, choice)
        with suppress(Refused):
            dispatch.infer(case.op, inputs, **attributes)
        try:
            results = dispatch.run(case.op, inputs, parts=choice.choice((1, 3)), **attributes)
        except Refused:
            continue
        ran += 1
        said = [(result.shape, result.dtype) for result in results]
        assert dispatch.infer(case.op, inputs, **attributes) == said
    assert 0 < ran < 500
