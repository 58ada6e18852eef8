"""Calls the runner and understands what it answers."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from edgebin.board.machine import Machine
from edgebin.bundle import Bundle
from edgebin.errors import BoardError, InputError, TargetMismatch
from edgebin.toolchain.process import tail

# kernels/runtime/fail.h
_UNUSABLE_INPUT, _OUTPUTS_DIFFER = 2, 3


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FunctionTime(_Answer):
    """One compiled function: its calls in `functions_runs` inferences, and the time spent in itself in all of them."""

    name: str
    calls: int
    self_ns: int


class LayerSamples(_Answer):
    """Samples of what one function wrote (kernels/runtime/layers.h); None where a value is not finite."""

    function: str
    values: tuple[float | None, ...]


class OutputComparison(_Answer):
    """One output against the golden one.

    `max_abs_diff` is None when it is infinite or one side is NaN. Of `vectors` rows along the last axis, `same_argmax`
    have their largest element in the same place.
    """

    name: str
    passed: bool
    max_abs_diff: float | None
    vectors: int
    same_argmax: int


class GoldenReport(_Answer):
    """All outputs against the golden ones."""

    atol: float
    rtol: float
    rows: int
    outputs: tuple[OutputComparison, ...]
    passed: bool


class RunnerReport(_Answer):
    """What the runner prints (kernels/runtime/main.c). Times are per batch; None where they were not asked for."""

    version: Literal[1]
    batch: int
    threads: int
    pinned_cores: tuple[int, ...]
    load_ns: int
    first_ns: int | None = None
    warmup_runs: int | None = None
    samples_ns: tuple[int, ...] | None = None
    rows: int | None = None
    golden: GoldenReport | None = None
    functions_runs: int | None = None
    functions: tuple[FunctionTime, ...] | None = None
    layers: tuple[LayerSamples, ...] | None = None
    peak_rss_bytes: int
    process_threads: int


def invoke(machine: Machine, bundle: Bundle, arguments: Sequence[str | Path]) -> RunnerReport:
    """Runs the bundle's runner with `arguments`; files are Paths (`Machine.run`).

    Outputs that differ from the golden ones are an answer, not an error.

    Raises:
        InputError: the runner cannot use its input; the message is the runner's.
        TargetMismatch: the processor does not know an instruction.
        BoardError: the runner died, or gave an answer that makes no sense.
    """
    done = machine.run(bundle, arguments)
    if done.returncode == -signal.SIGILL:
        target = bundle.manifest.target.id
        raise TargetMismatch(
            f"the bundle for {target} uses an instruction that {machine.name} does not know",
            hint="compile it again for the machine it is to run on",
        )
    message = tail(done.stderr).removeprefix("error: ")
    if done.returncode == _UNUSABLE_INPUT:
        raise InputError(message)
    if done.returncode not in (0, _OUTPUTS_DIFFER):
        raise BoardError(f"the runner ended with {done.returncode} on {machine.name}\n{message}")
    try:
        return RunnerReport.model_validate_json(done.stdout.partition("\n")[0])
    except ValidationError as error:
        raise BoardError(f"the runner's answer on {machine.name} makes no sense:\n{tail(done.stdout)}") from error
