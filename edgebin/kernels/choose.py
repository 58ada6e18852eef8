"""Which variant a call gets where nobody has measured: a table of the cores and calls that a tuning is for.

The figures are binary multiply-accumulates per cycle of the cycle model (`python -m benchmarks.kernels`), whole calls,
table building included. A tuning that the list of variants lacks, or has for other operations only, is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgebin.kernels.select import usable_variants
from edgebin.kernels.shape import CallShape
from edgebin.kernels.variants import Variant, find_variant
from edgebin.targets import Core

Choose = Callable[[CallShape], Variant]

# Cores that look tables up as fast as they count bits: as Neoverse N1, 2 TBL a cycle (insn_bench_aarch64).
_LOOKUP_CORES = ("cortex-a76", "cortex-a78ae")
# From here on the product outweighs its epilogue, in bits of a row.
_DEEP = 128


@dataclass(frozen=True)
class Rule:
    """A tuning, the cores it was written for, and the calls that it is faster for there."""

    tuning: str
    suits: Callable[[Core], bool]
    wins: Callable[[CallShape], bool]


def in_order_wins(call: CallShape) -> bool:
    """Whether `neon_inorder` beats `neon` on an in-order core.

    Cortex-A53, `neon_inorder` and `neon`: 196x384x384 bits 30.8 and 28.2, floats 28.8 and 26.7, with a residual 26.8
    and 25.1, with RPReLU 21.9 and 20.9; 3136x64x64 floats 15.5 and 14.6; 784x128x1024 fc1-8 11.9 and 12.1; but one row
    9.2 and 9.9.
    """
    return call.kernel != "b1_gemm" or call.dims[0] > 1


def lookup_wins(call: CallShape) -> bool:
    """Whether `neon_tbl` beats `neondot` and `neon` by enough to matter on cores with fast look-ups.

    Cortex-A76, `neon_tbl` and the better of the two: 196x384x384 bits 115.5 and 78.4, floats 99.2 and 71.0; 784x144x128
    floats with a residual 55.0 and 45.0; 784x128x1024 fc1-8 46.3 and 42.1; 784x64x64 bits 81.2 and 58.8, but floats
    39.8 and 38.6, with a residual 37.8 and 38.6; one row of 384x1000 32.2 and 23.4.
    """
    return call.kernel == "b1_gemm" and (call.dims[1] >= _DEEP or call.bits_only)


RULES = (
    Rule("neon_inorder", lambda core: not core.out_of_order, in_order_wins),
    Rule("neon_tbl", lambda core: core.id in _LOOKUP_CORES, lookup_wins),
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
