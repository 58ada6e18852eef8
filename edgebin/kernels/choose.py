"""Which variant a call gets where nobody has measured: a table of the cores and calls that a tuning is for.

A tuning that the list of variants lacks, or has for other operations only, is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgebin.kernels.select import usable_variants
from edgebin.kernels.shape import CallShape
from edgebin.kernels.variants import Variant, find_variant
from edgebin.targets import Core

Choose = Callable[[CallShape], Variant]


@dataclass(frozen=True)
class Rule:
    """A tuning, the cores it was written for, and the calls that it is faster for there."""

    tuning: str
    suits: Callable[[Core], bool]
    wins: Callable[[CallShape], bool]


_LOOKUP_CORES = ("cortex-a76", "cortex-a78ae")
_LOOKUP_LEAST_GAIN = 1.15
_LOOKUP_LEAST_ROWS = 4
# Multiply-accumulates per cycle, table look-up / counting, where bits are stored and where floats are: K = 384, 64.
_LOOKUP_GAINS = 113 / 81, 95 / 73
_SHALLOW_LOOKUP_GAINS = 80 / 64, 45 / 38
_DEEP = 128
# The table of a row costs as much as its product with so many channels: 15 to 18 % of a product with 384.
_TABLE_CHANNELS = 64


def lookup_gain(call: CallShape) -> float:
    """How many times faster than counting bits a dual-row table look-up is on Neoverse N1, tables included.

    Source: LLVM's model of Neoverse N1, whole tiles, for the ratios. Building the tables takes 15 to 18 % more time at
    N = 384 and 4 to 5 % at N = 1536: it grows with rows and K as the product does, so N decides.
    """
    _, k, n = call.dims
    bits, floats = _LOOKUP_GAINS if k >= _DEEP else _SHALLOW_LOOKUP_GAINS
    return (bits if call.bits_only else floats) / (1 + _TABLE_CHANNELS / n)


RULES = (
    Rule("neon_inorder", lambda core: not core.out_of_order, lambda call: True),
    Rule(
        "neon_tbl",
        lambda core: core.id in _LOOKUP_CORES,
        lambda call: (
            call.kernel == "b1_gemm" and call.dims[0] >= _LOOKUP_LEAST_ROWS and lookup_gain(call) >= _LOOKUP_LEAST_GAIN
        ),
    ),
)


def choose(call: CallShape, candidates: Sequence[Variant], core: Core) -> Variant:
    """The variant for a call: that of the first rule that fits, else the first candidate.

    `candidates` are `usable_variants` of the call's kernel.
    """
    by_name = {variant.path: variant for variant in candidates}
    for rule in RULES:
        if rule.tuning in by_name and rule.suits(core) and rule.wins(call):
            return by_name[rule.tuning]
    return candidates[0]


def by_model(paths: Sequence[str], core: Core) -> Choose:
    """Chooses by the table for a core that can run `paths`, best first."""
    return lambda call: choose(call, usable_variants(call.kernel, paths), core)


def always(path: str) -> Choose:
    """Chooses the kernels of one path or tuning."""
    return lambda call: find_variant(call.kernel, path)
