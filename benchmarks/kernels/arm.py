"""ARM: what a kernel call executes, instruction by instruction, under QEMU, and the cycles that the model gives it.

Executed: the probe, compiled for the core, runs under QEMU with the counting plugin. The kernel call alone is counted
(region 1; a dozen instructions around the two system calls that mark it are in it). Modelled: cycles, by
edgebin.profile.estimate.cycles with the rates of the core's target file; nothing here was timed.

Inner loop: the block that loops on itself and executes most instructions among those that do the kernel's work. Its
share of the multiply-accumulates is its share of the instructions that do them: CNT where XOR and CNT do it, TBL where
tables do, else UDOT, FMLA or additions of floats, whichever a kernel executes most.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.kernels.limits import limit_of, work_kind
from benchmarks.kernels.shapes import Call
from benchmarks.kernels.symbols import FunctionTable
from edgebin.board.local import run_process
from edgebin.errors import BoardError
from edgebin.kernels.probe import probe_program
from edgebin.profile.baselines.programs import instruction_counter
from edgebin.profile.estimate.cores import CoreModel, core_model
from edgebin.profile.estimate.counting import Block, Counts, plugin_argument, read_counts
from edgebin.profile.estimate.cycles import block_cost, estimate
from edgebin.profile.estimate.dependencies import self_looping
from edgebin.profile.estimate.instructions import Instruction, Kind, disassemble, kind_counts
from edgebin.targets import Target, load_target
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.process import tail
from edgebin.toolchain.qemu import qemu_command

# The boards that stand for the cores, and the paths and tunings that are for them.
CORES = {
    "cortex-a53": ("rpi3b-plus", ("neon", "neon_inorder")),
    "cortex-a72": ("rpi4b", ("neon",)),
    "cortex-a76": ("rpi5", ("neondot", "neon", "neon_tbl")),
}
_KERNEL_REGION = 1


@dataclass(frozen=True)
class InnerLoop:
    """`bmac`: of one iteration; `limit`: what bounds its cycles in the model."""

    function: str
    instructions: int
    bmac: float
    cycles_model: float
    bmac_per_cycle_model: float
    limit: str


class Core:
    """One core: its target, its model and its probe."""

    def __init__(self, name: str) -> None:
        """Builds the probe if need be.

        Raises:
            ToolchainError: no compiler, or no QEMU.
        """
        board, self.paths = CORES[name]
        self.name = name
        self.target: Target = load_target(board)
        self.model: CoreModel = core_model(self.target.core)
        self.probe = probe_program(self.target, find_compiler(self.target))
        self.functions = FunctionTable.of(self.probe)

    def count(self, call: Call, path: str) -> tuple[Counts, dict[str, Any]]:
        """The counts of one call on one path, and what the probe says of it.

        Raises:
            BoardError: the probe refused, or the result was not exact.
        """
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "counts.bin")
            plugin = plugin_argument(instruction_counter(), output)
            program = [self.probe, "kernel", call.op, path, call.out, "0", *map(str, call.dims)]
            done = run_process(qemu_command(self.target, program, plugin=plugin))
            if done.returncode != 0:
                raise BoardError(f"{call.op} on {path} ended with {done.returncode}\n{tail(done.stderr)}")
            return read_counts(output), json.loads(done.stdout)

    def row(self, call: Call, path: str) -> dict[str, Any]:
        """The figures of one call; those of its part if it is about a part."""
        counts, report = self.count(call, path)
        return figures(call, counts.located_counts([_KERNEL_REGION]), report["bmac"], self)


def figures(call: Call, blocks: Mapping[Block, int], bmac: int, core: Core) -> dict[str, Any]:
    """Counts and modelled cycles of the blocks that belong to the call."""
    total = sum(len(block.words) * executions for block, executions in blocks.items())
    by_function: dict[str, dict[Block, int]] = {}
    for block, executions in blocks.items():
        by_function.setdefault(core.functions.name_at(block.address), {})[block] = executions
    decoded = disassemble(word for block in blocks for word in block.words)
    shares = {name: _instructions(of) / total for name, of in by_function.items()}
    if call.part:
        found = [name for name in call.part.functions if name in by_function]
        if len(found) < len(call.part.functions):
            return {"functions": _rounded(shares)}  # the compiler put them into their callers: nothing to tell apart
        blocks = {block: count for name in found for block, count in by_function[name].items()}
        m, k, n = call.part.shape
        bmac = m * k * n * call.sizes["heads"]
    counted = words_counted(blocks)
    cost = estimate(counted, decoded, core.model)
    kinds = kind_counts(counted, decoded)
    kind = work_kind(call.op, kinds) if bmac else None
    limit = limit_of(call.op, kind, core.model) if kind else None
    per_cycle = bmac / cost.cycles if bmac else None
    loop = inner_loop(blocks, decoded, bmac, kind, core) if kind else None
    return {
        "instructions": cost.instructions,
        "bmac_per_instruction": bmac / cost.instructions if bmac else None,
        "cycles_model": round(cost.cycles),
        "bmac_per_cycle_model": per_cycle,
        "limit_bmac_per_cycle": limit,
        "share_of_limit": per_cycle / limit if per_cycle and limit else None,
        "inner_loop": asdict(loop) if loop else None,
        "cycles_by_limit": {name: round(cycles) for name, cycles in sorted(cost.limits.items())},
        "instruction_classes": {str(kind): count for kind, count in kinds.most_common()},
        "functions": _rounded(shares),
    }


def inner_loop(
    blocks: Mapping[Block, int], decoded: Mapping[int, Instruction], bmac: int, work: Kind, core: Core
) -> InnerLoop | None:
    """The hottest loop that does the kernel's work; None where all loops that do are unrolled."""
    steps = {block: sum(decoded[word].kind is work for word in block.words) for block in blocks}
    loops = [block for block in blocks if steps[block] and self_looping(block.words)]
    if not loops:
        return None
    hottest = max(loops, key=lambda block: len(block.words) * blocks[block])
    total = sum(count * blocks[block] for block, count in steps.items())
    done = bmac * steps[hottest] / total
    cost = block_cost(hottest.words, decoded, core.model)
    return InnerLoop(
        function=core.functions.name_at(hottest.address),
        instructions=len(hottest.words),
        bmac=done,
        cycles_model=cost.cycles,
        bmac_per_cycle_model=done / cost.cycles,
        limit=cost.limit,
    )


def words_counted(blocks: Mapping[Block, int]) -> Counter[tuple[int, ...]]:
    """The same by instruction words, as the cycle model takes them."""
    counted: Counter[tuple[int, ...]] = Counter()
    for block, executions in blocks.items():
        counted[block.words] += executions
    return counted


def rates_table(core: Core) -> dict[str, Any]:
    """What the model knows of a core, with where it is from."""
    described = core.target.core
    assert described.issue is not None
    return {
        "issue_width": core.model.width,
        "slots_per_128_bit_result": core.model.slots_per_wide_result,
        "issue_source": described.issue.source,
        "out_of_order": core.model.out_of_order,
        "instructions_per_cycle": core.model.rates,
        "evidence": described.rates_evidence.model_dump(),
        "board": core.target.name,
        "compiled_for": core.target.zig.mcpu,
    }


def qemu_version() -> str:
    """The emulator's first line about itself."""
    done = subprocess.run(["qemu-aarch64", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


def _instructions(blocks: Mapping[Block, int]) -> int:
    return sum(len(block.words) * executions for block, executions in blocks.items())


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares of the executed instructions, the largest first, crumbs left out."""
    return {name: round(share, 3) for name, share in sorted(shares.items(), key=lambda i: -i[1]) if share >= 0.005}
