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
from edgebin.profile.baseline import Baseline
from edgebin.profile.contender import Named
from edgebin.profile.cores import core_model
from edgebin.profile.counting import INFERENCE, OUTSIDE, Counts, plugin_argument, read_counts
from edgebin.profile.cycles import ERROR_BOUND_HIGH, ERROR_BOUND_LOW, CycleEstimate, estimate, seconds, streamed
from edgebin.profile.instructions import Instruction, disassemble
from edgebin.profile.programs import instruction_counter
from edgebin.profile.protocol import ErrorBound, EstimatedLatency, Layer
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
_ARGUMENTS = ("--bench", "--mark", "--warmup-seconds", "0", "--min-runs", "1", "--min-seconds", "0", "--threads", "1")


def count_bundle(bundle: Bundle) -> tuple[Counts, RunnerReport]:
    """Counts the second inference of a bundle: the first also does what is done once.

    Raises:
        ToolchainError: QEMU or the counter is missing.
        BoardError: the runner died.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "counts.bin")
        machine = QemuMachine(bundle.manifest.target, plugin_argument(instruction_counter(), output, skip=1))
        machine.check(bundle.manifest)
        report = invoke(machine, bundle, ["--input", str(bundle.extracted() / GOLDEN_INPUTS_NAME), *_ARGUMENTS])
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


def latency(counts: Counts, target: Target, weight_bytes: int) -> EstimatedLatency:
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


def layers(counts: Counts, report: RunnerReport, named: Named) -> tuple[Layer, ...]:
    """What each function costs per inference, the costliest first; the rest is the runtime's own work."""
    bundle = named.bundle
    target = bundle.manifest.target
    decoded = disassembled(counts)
    purpose = {operation.function: operation for operation in bundle.manifest.operations}
    names = {index + 1: function.name for index, function in enumerate(report.functions or ())}
    names[INFERENCE] = _OWN_WORK[bundle.manifest.backend]
    costs = {region: region_cost(counts, [region], target, decoded) for region in counts.inference_regions}
    total = sum(cost.cycles for cost in costs.values())
    runs = max(1, counts.inferences)
    rows = []
    for region, cost in sorted(costs.items(), key=lambda item: -item[1].cycles):
        operation = purpose.get(names[region])
        rows.append(
            Layer(
                name=names[region],
                op=operation.kind if operation else "",
                variant=operation.variant if operation else None,
                nodes=operation.nodes if operation else (),
                kind="estimate",
                latency_ms=cost.cycles / runs / target.freq_hz * 1e3,
                share=cost.cycles / total if total else 0.0,
                calls=counts.regions[region].entries // runs,
                cycles=cost.cycles / runs,
                instructions=cost.instructions // runs,
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
