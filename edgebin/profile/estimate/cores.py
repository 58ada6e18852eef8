"""A core as the cycle model sees it: what each kind of instruction occupies, and for how long its result is awaited.

Rates come from the target file (`targets/cores/*.toml`, most of them measured on silicon). What the table does not list
is derived here, by the rules written beside `_RATE_OF` and `_assumed_rate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgebin.errors import MeasurementInvalid
from edgebin.profile.estimate.instructions import LOADS, STORES, VECTOR, Instruction, Kind
from edgebin.targets import Core

# Which entry of the rates table speaks for a kind. Permutations and float additions are issued like EOR and FMLA on all
# cores in question. Source: insn_bench_aarch64 tables of the A53, A72 and Neoverse N1.
_RATE_OF: dict[Kind, str] = {
    Kind.LOGIC: "eor",
    Kind.SELECT: "bsl",
    Kind.CNT: "cnt",
    Kind.ADD: "add",
    Kind.PAIRWISE: "addp",
    Kind.WIDEN: "uaddlp",
    Kind.UADALP: "uadalp",
    Kind.REDUCE: "addv",
    Kind.SHIFT: "shift",
    Kind.SHIFT_INSERT: "sri",
    Kind.SHIFT_ADD: "shift",
    Kind.PERMUTE: "eor",
    Kind.TABLE: "tbl",
    Kind.LONG_TABLE: "tbl2",
    Kind.DOT: "udot",
    Kind.FMA: "fmla",
    Kind.FLOAT_ADD: "fmla",
    Kind.CONVERT: "ucvtf",
    Kind.LOAD_VECTOR: "ldr_q",
    Kind.LOAD_BROADCAST: "ld1r",
    Kind.STORE_VECTOR: "str_q",
}
# Kinds that only one of two vector pipes can do. Source: LLVM AArch64SchedA57.td and AArch64SchedNeoverseN1.td, which
# encode Arm's optimisation guides: accumulation, shifts and reductions on the second pipe; multiplication, conversion
# and division on the first.
_SECOND_PIPE = frozenset({Kind.UADALP, Kind.WIDEN, Kind.SHIFT, Kind.SHIFT_INSERT, Kind.SHIFT_ADD, Kind.REDUCE})
_FIRST_PIPE = frozenset({Kind.MULTIPLY, Kind.CONVERT, Kind.DIVIDE})

# Cycles until a result can be used (in order, three-wide out of order, wider), and from one accumulation to the next
# into the same register. Source: insn_bench_aarch64 (A53; A72; Neoverse N1), LLVM's models for loads and division.
_LATENCY: dict[Kind, tuple[float, float, float]] = {
    Kind.LOGIC: (1, 3, 2),
    Kind.SELECT: (2, 3, 2),
    Kind.CNT: (2, 3, 2),
    Kind.ADD: (2, 3, 2),
    Kind.PAIRWISE: (3, 3, 2),
    Kind.WIDEN: (3, 3, 2),
    Kind.UADALP: (4, 4, 4),
    Kind.REDUCE: (3, 6, 6),
    Kind.SHIFT: (2, 3, 2),
    Kind.SHIFT_INSERT: (2, 4, 2),
    Kind.SHIFT_ADD: (2, 4, 2),
    Kind.PERMUTE: (2, 3, 2),
    Kind.TABLE: (2, 3, 2),
    Kind.LONG_TABLE: (2, 3, 2),
    Kind.TRANSFER: (3, 5, 3),
    Kind.MULTIPLY: (4, 4, 4),
    Kind.DOT: (4, 4, 3),
    Kind.FMA: (8, 7, 4),
    Kind.FLOAT_ADD: (4, 4, 2),
    Kind.CONVERT: (4, 4, 3),
    Kind.DIVIDE: (18, 14, 10),
    Kind.LOAD_VECTOR: (5, 5, 5),
    Kind.LOAD_BROADCAST: (5, 8, 7),
    Kind.LOAD_SCALAR: (3, 4, 4),
    Kind.STORE_VECTOR: (1, 1, 1),
    Kind.STORE_SCALAR: (1, 1, 1),
    Kind.BRANCH: (1, 1, 1),
    Kind.INTEGER: (1, 1, 1),
    Kind.INTEGER_MULTIPLY: (4, 3, 2),
    Kind.INTEGER_DIVIDE: (12, 12, 8),
    Kind.SYSTEM: (1, 1, 1),
}
_FORWARDED: dict[Kind, tuple[float, float, float]] = {
    Kind.FMA: (4, 3, 2),
    Kind.UADALP: (2, 1, 1),
    Kind.DOT: (1, 1, 1),
    Kind.MULTIPLY: (1, 1, 1),
}


@dataclass(frozen=True)
class Occupancy:
    """Cycles for which one instruction keeps each resource of a core busy (issue slots: slots)."""

    slots: float = 0.0
    vector: float = 0.0
    first_pipe: float = 0.0
    second_pipe: float = 0.0
    load: float = 0.0
    store: float = 0.0
    integer: float = 0.0


@dataclass(frozen=True)
class CoreModel:
    """The resources of one core. `pipes`: how many vector instructions it starts per cycle at most."""

    name: str
    out_of_order: bool
    width: int
    slots_per_wide_result: int
    rates: dict[str, float]

    @property
    def pipes(self) -> int:
        return math.ceil(max(rate for name, rate in self.rates.items() if name not in ("ldr_q", "ld1r", "str_q")))

    def occupancy(self, instruction: Instruction) -> Occupancy:
        """What one execution keeps busy."""
        kind, wide = instruction.kind, instruction.wide
        slots = self.slots_per_wide_result if wide and kind in VECTOR else max(1, instruction.accesses)
        if kind in LOADS:
            cycles = instruction.accesses / self._memory_rate(_RATE_OF.get(kind, "ldr_q"), wide)
            broadcasts = kind is Kind.LOAD_BROADCAST and self.out_of_order
            return Occupancy(slots=slots, load=cycles, vector=1 / self.pipes if broadcasts else 0.0)
        if kind in STORES:
            return Occupancy(slots=slots, store=instruction.accesses / self._memory_rate("str_q", wide))
        if kind in VECTOR:
            return self._vector_occupancy(kind, wide, slots)
        cycles = {Kind.INTEGER_MULTIPLY: 1.0, Kind.INTEGER_DIVIDE: 8.0}.get(kind, 1 / max(2, self.width - 1))
        return Occupancy(slots=slots, integer=0.0 if kind in (Kind.BRANCH, Kind.SYSTEM) else cycles)

    def latency(self, instruction: Instruction) -> float:
        """Cycles until the result can be used."""
        return _LATENCY[instruction.kind][self._latency_column]

    def forwarded_latency(self, instruction: Instruction) -> float:
        """Cycles from one accumulation to the next into the same register."""
        row = _FORWARDED.get(instruction.kind)
        return row[self._latency_column] if row else self.latency(instruction)

    def vector_unit_cycles(self, instruction: Instruction) -> float:
        """On an in-order core: how long nothing else can use the vector unit. Wide memory accesses take it too."""
        occupancy = self.occupancy(instruction)
        if instruction.kind in (Kind.LOAD_VECTOR, Kind.LOAD_BROADCAST, Kind.STORE_VECTOR):
            return occupancy.load + occupancy.store
        return occupancy.vector

    @property
    def _latency_column(self) -> int:
        if not self.out_of_order:
            return 0
        return 1 if self.width <= 3 else 2

    def _memory_rate(self, name: str, wide: bool) -> float:
        # 64-bit accesses go at one per cycle where 128-bit ones are slower. Source: insn_bench_aarch64, A53 and A72.
        rate = self.rates[name]
        return rate if wide else max(1.0, rate)

    def _vector_occupancy(self, kind: Kind, wide: bool, slots: float) -> Occupancy:
        rate = self._rate(kind, wide)
        dispatch_limit = self.width / self.slots_per_wide_result
        if rate >= min(self.pipes, dispatch_limit):
            return Occupancy(slots=slots, vector=1 / self.pipes)  # either pipe, for a cycle
        single = self.pipes > 1 and kind in _SECOND_PIPE | _FIRST_PIPE
        cycles = 1 / rate
        return Occupancy(
            slots=slots,
            vector=cycles / self.pipes if single else cycles,
            second_pipe=cycles if single and kind in _SECOND_PIPE else 0.0,
            first_pipe=cycles if single and kind in _FIRST_PIPE else 0.0,
        )

    def _rate(self, kind: Kind, wide: bool) -> float:
        rate = self.rates.get(_RATE_OF.get(kind, ""))
        if rate is None:
            rate = self._assumed_rate(kind, wide)
        elif not wide and kind in (Kind.FMA, Kind.FLOAT_ADD, Kind.CNT):
            # Where a 128-bit form needs both pipes, the 64-bit and scalar forms take one.
            rate = min(rate * 2, self.pipes) if self.pipes > 1 else rate
        return rate

    def _assumed_rate(self, kind: Kind, wide: bool) -> float:
        """Rates no table has: one per cycle; division a quarter of its latency's cost wide, an eighth of it narrow."""
        if kind is Kind.DIVIDE:
            return 1 / (16 if wide else 8)
        if kind is Kind.CONVERT:
            return 0.5 if wide and self.pipes > 1 else 1.0
        return 1.0


def core_model(core: Core) -> CoreModel:
    """The cycle model's view of a target's core.

    Raises:
        MeasurementInvalid: nobody has published rates of this core, so no estimate can be made.
    """
    if core.rates is None or core.issue is None:
        raise MeasurementInvalid(
            f"no estimate for {core.name}: {core.rates_evidence.source}",
            flags=("no-rates",),
            hint="measure on the board, or estimate for a target whose core has a rates table",
        )
    rates = {name: float(rate) for name, rate in core.rates.model_dump(exclude_none=True).items()}
    return CoreModel(core.name, core.out_of_order, core.issue.width, core.issue.slots_per_q_result, rates)
