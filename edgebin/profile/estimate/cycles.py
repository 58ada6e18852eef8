"""The static cycle estimate: exact executed instructions, times what each hot block costs on a core.

A block costs what its busiest resource costs (issue slots, vector pipes, load and store ports, integer units), and no
less than its loop-carried dependencies where it loops on itself. On in-order cores vector work and vector memory
accesses do not overlap, and nothing starts before its predecessor. Caches always hit and branches are always predicted,
except that weights larger than the last-level cache must arrive at the measured copy bandwidth (`seconds`).

How far to trust it. Cycles of this model against a cycle-level simulator with own descriptions of such cores, kernels
of 16×32×384 whose data fit the first-level cache:

| kernel                    | Cortex-A72          | Cortex-A53          | Cortex-A76          |
|---------------------------|---------------------|---------------------|---------------------|
| binary 4x4, UADALP        | 4969 / 3936 = +26 % | 9756 / 8220 = +19 % | 3633 / 2817 = +29 % |
| binary 4x2, byte sums     | 6151 / 5237 = +17 % | 10464 / 10139 = +3 %| 4416 / 3348 = +32 % |
| fp32 FMLA 8x8             | 49556 / 49682 = 0 % | 77219 / 91050 = −15 %| 25087 / 24761 = +1 %|
| int8 SDOT 8x8             |                     |                     | 6641 / 6256 = +6 %  |

These kernels have no broadcasting loads, table look-ups or shift-and-inserts, whose rates no simulator has checked.

The simulator's A72 starts two CNT per cycle where silicon was measured to start one, and its A76 lets UADALP use both
pipes where silicon has one, so part of the difference is the simulator's. No board has confirmed these estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields

from edgebin.profile.estimate.cores import CoreModel, Occupancy
from edgebin.profile.estimate.dependencies import in_order_cycles, loop_carried_cycles, self_looping
from edgebin.profile.estimate.instructions import Instruction
from edgebin.targets import Target

# Simulator / estimate - 1, its extremes over the table above: what the true time may be, relative to the estimate.
ERROR_BOUND_LOW = 1 / 1.32 - 1
ERROR_BOUND_HIGH = 1 / 0.85 - 1


@dataclass(frozen=True)
class BlockCost:
    """Cycles of one execution of a block, and what limits it."""

    cycles: float
    limit: str


@dataclass(frozen=True)
class CycleEstimate:
    """`limits`: cycles by what limited them (`slots`, `vector`, `load`, `latency` …)."""

    instructions: int
    cycles: float
    limits: Mapping[str, float]


def block_cost(words: Sequence[int], decoded: Mapping[int, Instruction], core: CoreModel) -> BlockCost:
    """What one execution of a block costs in a steady state.

    Source: for the resource model, the slot accounting that reproduces published A72 kernel figures (LCE on a Raspberry
    Pi 4) where LLVM's A72 model is 1.5 times too fast; for in-order cores, GCC's cortex-a53.md (128-bit operations use
    both 64-bit units, so nothing issues beside them but scalar work).
    """
    block = [decoded[word] for word in words]
    bounds = resource_cycles(block, core)
    if not core.out_of_order:
        bounds["in order"] = in_order_cycles(
            block, core.latency, core.forwarded_latency, core.vector_unit_cycles, core.width
        )
    elif self_looping(words):
        bounds["latency"] = loop_carried_cycles(block, core.latency, core.forwarded_latency)
    limit = max(bounds, key=lambda name: bounds[name])
    return BlockCost(bounds[limit], limit)


def resource_cycles(block: Sequence[Instruction], core: CoreModel) -> dict[str, float]:
    """Cycles for which a block keeps each resource of the core busy."""
    totals = [sum(column) for column in zip(*(astuple(core.occupancy(i)) for i in block), strict=True)]
    busy = dict(zip((field.name for field in fields(Occupancy)), totals, strict=True))
    busy["slots"] /= core.width
    return busy


def estimate(
    block_counts: Mapping[tuple[int, ...], int], decoded: Mapping[int, Instruction], core: CoreModel
) -> CycleEstimate:
    """Cycles of everything that ran: each distinct block's cost times its exact count."""
    cycles, instructions = 0.0, 0
    limits: dict[str, float] = {}
    for words, executions in block_counts.items():
        cost = block_cost(words, decoded, core)
        cycles += cost.cycles * executions
        instructions += len(words) * executions
        limits[cost.limit] = limits.get(cost.limit, 0.0) + cost.cycles * executions
    return CycleEstimate(instructions, cycles, limits)


def seconds(cycles: float, streamed_bytes: int, target: Target) -> float:
    """Seconds of work that also has to stream `streamed_bytes` of weights from memory.

    Time is the longer of the two (roofline). Bytes that fit the last-level cache together are not streamed: pass 0 for
    them (`streamed`). Copy bandwidth stands for read bandwidth, which is never lower.
    """
    compute = cycles / target.freq_hz
    bandwidth = target.memory.copy_bandwidth_bytes_per_s
    return compute if not bandwidth else max(compute, streamed_bytes / bandwidth)


def streamed(weight_bytes: int, target: Target) -> int:
    """The bytes of weights that every inference must fetch from memory: all of them once they exceed the last cache."""
    cache = target.memory.l3_bytes or target.memory.l2_bytes or 0
    return weight_bytes if weight_bytes > cache else 0
