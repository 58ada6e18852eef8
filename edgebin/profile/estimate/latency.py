"""The static estimate: what runs is counted under QEMU, instruction by instruction, and costed on the target's core."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from edgebin.board import QemuMachine, RunnerReport, invoke
from edgebin.board.local import run_process
from edgebin.bundle import Bundle
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME
from edgebin.errors import BoardError
from edgebin.profile.baselines.baseline import Baseline
from edgebin.profile.baselines.contender import Named
from edgebin.profile.baselines.programs import instruction_counter
from edgebin.profile.estimate.cores import core_model
from edgebin.profile.estimate.counting import OUTSIDE, Counts, plugin_argument, read_counts
from edgebin.profile.estimate.cycles import (
    ERROR_BOUND_HIGH,
    ERROR_BOUND_LOW,
    CycleEstimate,
    estimate,
    seconds,
    streamed,
)
from edgebin.profile.estimate.instructions import Instruction, disassemble
from edgebin.profile.quantities import ErrorBound, EstimatedLatency
from edgebin.profile.record import Layer
from edgebin.targets import Target
from edgebin.toolchain.process import tail
from edgebin.toolchain.qemu import qemu_command
from edgebin.toolchain.runtime import Backend

ERROR_BOUND = ErrorBound(
    low=round(ERROR_BOUND_LOW, 2),
    high=round(ERROR_BOUND_HIGH, 2),
    basis="ten kernel runs on a cycle-level simulator of three cores; no board has confirmed it",
)
# What a runtime does itself; of onnxruntime and LiteRT that includes their own nodes.
_OWN_WORK: Mapping[Backend, str] = {"tvm": "(virtual machine)", "ort": "(onnxruntime)", "tflite": "(LiteRT)"}
_ARGUMENTS = ("--bench", "--warmup-seconds", "0", "--min-runs", "1", "--min-seconds", "0", "--threads", "1")


def count_bundle(bundle: Bundle) -> Counts:
    """Counts the second inference of a bundle: the first also does what is done once. Nothing looks at its functions.

    Raises:
        ToolchainError: QEMU or the counter is missing.
        BoardError: the runner died.
    """
    return _count(bundle, "--mark-inferences")[0]


def count_functions(bundle: Bundle) -> tuple[Counts, RunnerReport]:
    """The same inference function by function. The report names them.

    Looking at functions takes instructions of its own, which stand between them: the counts of all regions together
    are more than an inference.

    Raises:
        ToolchainError: QEMU or the counter is missing.
        BoardError: the runner died.
    """
    return _count(bundle, "--mark")


def _count(bundle: Bundle, marking: str) -> tuple[Counts, RunnerReport]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "counts.bin")
        machine = QemuMachine(bundle.manifest.target, plugin_argument(instruction_counter(), output, skip=1))
        machine.check(bundle.manifest)
        inputs = bundle.extracted() / GOLDEN_INPUTS_NAME
        report = invoke(machine, bundle, ["--input", inputs, marking, *_ARGUMENTS])
        return read_counts(output), report


def count_baseline(baseline: Baseline, target: Target) -> Counts:
    """Counts the first inference of the twin under the target's onnxruntime.

    A second one differs by less than 0.01 % of its instructions (weights are packed when the model is loaded), which is
    not worth the minute that a full-precision model takes under QEMU.

    Raises:
        ToolchainError: QEMU, the counter or onnxruntime's library is missing.
        BoardError: the runner died.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "counts.bin")
        program = baseline.command(target, threads=1, arguments=["--mark", "1"])
        plugin = plugin_argument(instruction_counter(), output)
        environment = {"ORT_DISABLE_TELEMETRY": "1"}
        done = run_process(qemu_command(target, program, plugin=plugin, environment=environment))
        if done.returncode != 0:
            raise BoardError(f"the {baseline.name} baseline ended with {done.returncode}\n{tail(done.stderr)}")
        return read_counts(output)


def estimated_latency(counts: Counts, target: Target, weight_bytes: int) -> EstimatedLatency:
    """The estimated latency of one marked inference.

    Raises:
        MeasurementInvalid: the target's core has no rates.
    """
    cost = region_cost(counts, counts.inference_regions, target, disassembled(counts))
    runs = max(1, counts.inferences)
    return EstimatedLatency(
        p50_ms=seconds(cost.cycles / runs, streamed(weight_bytes, target), target) * 1e3,
        cycles=cost.cycles / runs,
        instructions=cost.instructions // runs,
        error_bound=ERROR_BOUND,
        limits={name: cycles / runs for name, cycles in sorted(cost.limits.items())},
    )


def estimated_layers(whole: EstimatedLatency, counts: Counts, report: RunnerReport, named: Named) -> tuple[Layer, ...]:
    """What each function costs per inference, the costliest first; the rest of `whole` is the runtime's own work."""
    bundle = named.bundle
    target = bundle.manifest.target
    decoded = disassembled(counts)
    purpose = {operation.function: operation for operation in bundle.manifest.operations}
    runs = max(1, counts.inferences)
    found = {
        function.name: (region_cost(counts, [index + 1], target, decoded), counts.regions[index + 1].entries // runs)
        for index, function in enumerate(report.functions or ())
        if index + 1 in counts.regions
    }
    costs = {name: (cost.cycles / runs, cost.instructions // runs, calls) for name, (cost, calls) in found.items()}
    own_cycles = whole.cycles - sum(cycles for cycles, _, _ in costs.values())
    own_instructions = whole.instructions - sum(instructions for _, instructions, _ in costs.values())
    costs[_OWN_WORK[bundle.manifest.backend]] = (max(0.0, own_cycles), max(0, own_instructions), 1)
    rows = []
    for name, (cycles, instructions, calls) in sorted(costs.items(), key=lambda item: -item[1][0]):
        operation = purpose.get(name)
        rows.append(
            Layer(
                name=name,
                op=operation.kind if operation else "",
                variant=operation.variant if operation else None,
                nodes=operation.nodes if operation else (),
                kind="estimate",
                latency_ms=cycles / target.freq_hz * 1e3,
                share=cycles / whole.cycles if whole.cycles else 0.0,
                calls=calls,
                cycles=cycles,
                instructions=instructions,
                bundle=named.name,
            )
        )
    return tuple(rows)


def region_cost(
    counts: Counts, regions: Iterable[int], target: Target, decoded: dict[int, Instruction]
) -> CycleEstimate:
    """Cycles of some regions on the target's core."""
    return estimate(counts.block_counts(regions), decoded, core_model(target.core))


def disassembled(counts: Counts) -> dict[int, Instruction]:
    """Every instruction that ran inside a marked inference."""
    blocks = {index for id_, region in counts.regions.items() if id_ != OUTSIDE for index in region.executions}
    return disassemble(word for index in blocks for word in counts.blocks[index].words)
