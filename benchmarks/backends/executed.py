"""What one inference executes on ARM, by node, under each backend. Counted in the emulator: exact and repeatable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backends.emulated import Job, count_emulated
from edgebin.bundle import Bundle
from edgebin.profile.estimate.counting import INFERENCE, Counts
from edgebin.profile.estimate.latency import count_bundle, count_functions, disassembled, region_cost
from edgebin.targets import Target


@dataclass(frozen=True)
class Executed:
    """Instructions of one inference.

    `nodes`: each kernel call; `between`: the runtime's own work from the first call to the last, its own operators
    included; `outside`: what precedes the first call and follows the last. `model_cycles`: the cycle model's figure for
    all of it.
    """

    nodes: dict[str, int]
    between: int
    outside: int
    model_cycles: float

    @property
    def total(self) -> int:
        """All instructions of the inference."""
        return sum(self.nodes.values()) + self.between + self.outside

    @property
    def between_per_node(self) -> float:
        """The runtime's own work for each step from one call to the next."""
        return self.between / max(1, len(self.nodes) - 1)


def executed_by_module(bundle: Bundle) -> Executed:
    """What a TVM bundle executes; what TVM compiled itself counts as its own work, with the virtual machine's.

    Raises:
        ToolchainError: QEMU or the counter is missing.
        BoardError: the runner died.
    """
    whole = count_bundle(bundle)
    counts, report = count_functions(bundle)
    calls = {operation.function: operation.nodes[0] for operation in bundle.manifest.operations if operation.variant}
    functions = [function.name for function in report.functions or ()]
    per_region = _per_inference(counts)
    nodes = {calls[name]: per_region.get(index + 1, 0) for index, name in enumerate(functions) if name in calls}
    between = sum(_per_inference(whole).values()) - sum(nodes.values())
    return Executed(nodes, between, 0, _cycles(whole, bundle.manifest.target))


def executed_by_library(target: Target, job: Job, folder: Path, nodes: Mapping[str, str]) -> Executed:
    """What a runtime's aarch64 wheel executes with our library. Python's call of the runtime is in `outside`.

    `nodes`: as `Files` has them; runs of one node are summed.

    Raises:
        ToolchainError: no userland, no emulator or no counter.
        BoardError: the runtime refused the model, or died.
        MeasurementInvalid: the runtime ran several threads.
    """
    counts, names = count_emulated(target, job, folder)
    per_region = _per_inference(counts)
    *runs, before, after = (per_region.get(index + 1, 0) for index in range(len(names) + 2))
    by_node: Counter[str] = Counter()
    for name, instructions in zip(names, runs, strict=True):
        by_node[nodes.get(name, name)] += instructions
    return Executed(dict(by_node), per_region[INFERENCE], before + after, _cycles(counts, target))


def _per_inference(counts: Counts) -> dict[int, int]:
    return {region: counts.instructions(region) // counts.inferences for region in counts.inference_regions}


def _cycles(counts: Counts, target: Target) -> float:
    return region_cost(counts, counts.inference_regions, target, disassembled(counts)).cycles / counts.inferences
