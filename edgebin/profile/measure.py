"""The measurement on this host: the bundle and its baselines as processes, timed in turns on the same processors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from edgebin.board import LocalMachine, RunnerReport, invoke
from edgebin.bundle import Bundle
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME
from edgebin.errors import InputError
from edgebin.profile.baseline import Baseline
from edgebin.profile.engines import Engine, pinned
from edgebin.profile.host import Comparison, compare
from edgebin.profile.protocol import Layer
from edgebin.targets import Target

BINARY = "binary"
_TRIAL_RUNS = 10
_PER_OP_RUNS = 30


@dataclass(frozen=True)
class Measured:
    """One engine's side of a comparison, apart from its timings."""

    name: str
    engine: str
    file_bytes: int
    peak_rss_bytes: int
    load_ms: float
    note: str


def choose_cpus(threads: int) -> tuple[int, ...]:
    """The last processors this process may use: the first ones serve more interrupts.

    Raises:
        InputError: there are fewer than `threads`.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise InputError(
            f"{threads} threads on {len(allowed)} processors", hint=f"use --threads {len(allowed)} or less"
        )
    return tuple(allowed[-threads:])


def measure(
    bundle: Bundle,
    baselines: Sequence[Baseline],
    host: Target,
    *,
    threads: int,
    cpus: Sequence[int] | None,
    min_runs: int,
    min_seconds: float,
    warmup_seconds: float,
) -> tuple[Comparison, tuple[Measured, ...]]:
    """Times the bundle against the baselines. Of several baselines of one name, the quickest in a short trial.

    Raises:
        BoardError: one of the programs died.
    """
    with ExitStack() as stack:
        with pinned(cpus):
            ours = stack.enter_context(Engine(BINARY, bundle_command(bundle, threads)))
            theirs = [
                (stack.enter_context(Engine(b.name, b.command(host, threads=threads, arguments=["--serve"]))), b)
                for b in baselines
            ]
        chosen = _quickest(theirs)
        engines = [ours, *(engine for engine, _, _ in chosen)]
        result = compare(engines, min_runs=min_runs, min_seconds=min_seconds, warmup_seconds=warmup_seconds)
        manifest = bundle.manifest
        engine_name = manifest.engine
        sides = [
            Measured(BINARY, engine_name, bundle.size_bytes, ours.peak_rss_bytes(), ours.load_ms, ""),
            *(
                Measured(
                    baseline.name,
                    f"onnxruntime {engine.hello.get('version', '')}",
                    baseline.file_bytes,
                    engine.peak_rss_bytes(),
                    engine.load_ms,
                    note,
                )
                for engine, baseline, note in chosen
            ),
        ]
    return result, tuple(sides)


def measured_layers(bundle: Bundle, *, threads: int, cpus: Sequence[int] | None) -> tuple[Layer, ...]:
    """What each compiled function takes, from inferences of their own: looking at functions slows them down."""
    inputs = str(bundle.extracted() / GOLDEN_INPUTS_NAME)
    arguments = ["--input", inputs, "--per-op", "--min-runs", str(_PER_OP_RUNS), "--threads", str(threads)]
    with pinned(cpus):
        report = invoke(LocalMachine(), bundle, arguments)
    return layers_of(report, bundle)


def layers_of(report: RunnerReport, bundle: Bundle) -> tuple[Layer, ...]:
    """The runner's per-function times as layers, the slowest first."""
    functions = report.functions or ()
    runs = max(1, report.functions_runs or 1)
    total = sum(function.self_ns for function in functions)
    purpose = {operation.function: operation for operation in bundle.manifest.operations}
    return tuple(
        Layer(
            name=function.name,
            op=purpose[function.name].kind if function.name in purpose else "",
            variant=purpose[function.name].variant if function.name in purpose else None,
            nodes=purpose[function.name].nodes if function.name in purpose else (),
            kind="measured",
            latency_ms=function.self_ns / runs / 1e6,
            share=function.self_ns / total if total else 0.0,
            calls=function.calls // runs,
        )
        for function in sorted(functions, key=lambda function: -function.self_ns)
    )


def bundle_command(bundle: Bundle, threads: int) -> list[str]:
    """The bundle's runner in its extracted folder, serving."""
    folder = bundle.extracted()
    inputs = str(folder / GOLDEN_INPUTS_NAME)
    return LocalMachine().command(folder, ["--input", inputs, "--serve", "--threads", str(threads)])


def _quickest(candidates: Sequence[tuple[Engine, Baseline]]) -> list[tuple[Engine, Baseline, str]]:
    """One engine per name, with a note of what was weighed."""
    trial_ms = [min(engine.run(_TRIAL_RUNS + 1)[1:]) for engine, _ in candidates]
    chosen = []
    for name in dict.fromkeys(baseline.name for _, baseline in candidates):
        rivals = sorted((ms, i) for i, ms in enumerate(trial_ms) if candidates[i][1].name == name)
        engine, baseline = candidates[rivals[0][1]]
        note = baseline.how
        if len(rivals) > 1:
            note += f"; slower in a trial: {candidates[rivals[1][1]][1].how}, {rivals[1][0] / rivals[0][0]:.2f}×"
        chosen.append((engine, baseline, note))
    return chosen
