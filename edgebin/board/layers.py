"""Compares what a bundle's layers write with the golden samples, to name the first layer that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgebin.board.invoke import invoke
from edgebin.board.machine import Machine
from edgebin.bundle import Bundle, read_npz
from edgebin.bundle.layers import LAYERS_NAME
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME

# Layers between two packings are float: rounding errors of a few operations, as a share of the largest sample.
_FLOAT_TOLERANCE = 1e-4


@dataclass(frozen=True)
class LayerComparison:
    """A kernel call against its golden samples; `differing` are beyond rounding, or for bits and integers not equal."""

    function: str
    layer: str
    samples: int
    differing: int
    max_abs_diff: float


def compare_layers(bundle: Bundle, machine: Machine) -> tuple[LayerComparison, ...]:
    """All layers with golden samples, in the order in which they ran; empty if the bundle carries none.

    Raises:
        BoardError: the runner died.
    """
    if LAYERS_NAME not in bundle.manifest.files:
        return ()
    folder = bundle.extracted()
    golden = read_npz(folder / LAYERS_NAME)
    labels = {operation.function: operation.nodes[0] for operation in bundle.manifest.operations if operation.nodes}
    report = invoke(machine, bundle, ["--input", folder / GOLDEN_INPUTS_NAME, "--layers"])
    comparisons = []
    for result in report.layers or ():
        if result.function not in golden:
            continue
        want = golden[result.function].astype(np.float64)
        got = np.array([np.nan if value is None else value for value in result.values])
        if got.size != want.size:  # LCE's rows of bits may be shorter than ours
            continue
        whole_numbers = bool((want == np.round(want)).all())
        allowed = 0.0 if whole_numbers else _FLOAT_TOLERANCE * max(1e-30, float(np.abs(want).max()))
        difference = np.abs(got - want)
        comparisons.append(
            LayerComparison(
                function=result.function,
                layer=labels.get(result.function, result.function),
                samples=want.size,
                differing=int((~(difference <= allowed)).sum()),
                max_abs_diff=float(np.nan_to_num(difference, nan=np.inf).max()),
            )
        )
    return tuple(comparisons)
