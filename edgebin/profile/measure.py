"""The measurement on this host: bundles and baselines as processes, timed in turns on the same processors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edgebin.board import LocalMachine, RunnerReport, invoke
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME
from edgebin.errors import BoardError, InputError
from edgebin.profile.contender import Contender, Named
from edgebin.profile.engines import Engine, pinned
from edgebin.profile.host import Comparison, compare
from edgebin.profile.record import Layer

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
    contenders: Sequence[Contender],
    *,
    cpus: Sequence[int] | None,
    min_runs: int,
    min_seconds: float,
    warmup_seconds: float,
) -> tuple[Comparison, tuple[Measured, ...]]:
    """Times the contenders against each other. Of several of one name, the quickest in a short trial.

    Raises:
        BoardError: one of the programs died, or none of a name starts.
    """
    with ExitStack() as stack:
        with pinned(cpus):
            started, failed = _start(contenders, stack)
        chosen = _quickest(started, failed)
        engines = [engine for engine, _, _ in chosen]
        result = compare(engines, min_runs=min_runs, min_seconds=min_seconds, warmup_seconds=warmup_seconds)
        sides = [
            Measured(c.name, c.engine, c.file_bytes, engine.peak_rss_bytes(), engine.load_ms, note)
            for engine, c, note in chosen
        ]
    return result, tuple(sides)


def measured_layers(named: Named, *, threads: int, cpus: Sequence[int] | None) -> tuple[Layer, ...]:
    """What each function takes, from inferences of their own: looking at functions slows them down."""
    bundle = named.bundle
    inputs = bundle.extracted() / GOLDEN_INPUTS_NAME
    arguments: list[str | Path] = [
        "--input",
        inputs,
        "--per-op",
        "--min-runs",
        str(_PER_OP_RUNS),
        "--threads",
        str(threads),
    ]
    with pinned(cpus):
        report = invoke(LocalMachine(), bundle, arguments)
    return layers_of(report, named)


def layers_of(report: RunnerReport, named: Named) -> tuple[Layer, ...]:
    """The runner's per-function times as layers, the slowest first."""
    functions = report.functions or ()
    runs = max(1, report.functions_runs or 1)
    total = sum(function.self_ns for function in functions)
    purpose = {operation.function: operation for operation in named.bundle.manifest.operations}
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
            bundle=named.name,
        )
        for function in sorted(functions, key=lambda function: -function.self_ns)
    )


def _start(
    contenders: Sequence[Contender], stack: ExitStack
) -> tuple[list[tuple[Engine, Contender]], list[tuple[BoardError, Contender]]]:
    """Those that start and those that do not: one way to run a model may refuse it while another takes it."""
    started: list[tuple[Engine, Contender]] = []
    failed: list[tuple[BoardError, Contender]] = []
    for contender in contenders:
        try:
            started.append((stack.enter_context(Engine(contender.name, contender.command)), contender))
        except BoardError as error:
            failed.append((error, contender))
    return started, failed


def _quickest(
    started: Sequence[tuple[Engine, Contender]], failed: Sequence[tuple[BoardError, Contender]]
) -> list[tuple[Engine, Contender, str]]:
    """One engine per name, with a note of what was weighed."""
    names = {contender.name for _, contender in started}
    for error, contender in failed:
        if contender.name not in names:
            raise error
    chosen = []
    for name in dict.fromkeys(contender.name for _, contender in started):
        rivals = [pair for pair in started if pair[1].name == name]
        trials = [min(rival[0].run(_TRIAL_RUNS + 1)[1:]) if len(rivals) > 1 else 0.0 for rival in rivals]
        ranked = sorted((ms, i) for i, ms in enumerate(trials))
        engine, contender = rivals[ranked[0][1]]
        note = contender.how
        if len(rivals) > 1:
            note += f"; slower in a trial: {rivals[ranked[1][1]][1].how}, {ranked[1][0] / ranked[0][0]:.2f}×"
        if refused := [other.how for _, other in failed if other.name == name]:
            note += f"; it refuses the model {' and '.join(refused)}"
        chosen.append((engine, contender, note))
    return chosen
