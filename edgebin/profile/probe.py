"""Asks the probe about a machine: its clock, instructions and memory, and how every kernel does on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import edgebin
from edgebin.board.programs import ask_program
from edgebin.board.tracker.tracker import Tracker
from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.transport import Transport
from edgebin.errors import BoardError, InputError, TargetMismatch, VerificationError
from edgebin.kernels.probe import probe_library, probe_paths, probe_program
from edgebin.kernels.shape import CallShape
from edgebin.kernels.tuner import Tuner
from edgebin.kernels.variants import Variant, variants
from edgebin.targets import Target
from edgebin.targets.host import host_arch
from edgebin.targets.schema import Rates
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.runtime import runtime_libraries

# One for each operation, and those of the binary product that networks have most.
SHAPES = (
    CallShape("b1_gemm", "f32+residual", (196, 384, 384)),
    CallShape("b1_gemm", "bits", (196, 384, 1536)),
    CallShape("b1_gemm", "f32", (3136, 64, 64)),
    CallShape("b1_gemm", "int", (196, 64, 196)),
    CallShape("b1_gemm_ternary", "f32", (196, 384, 384)),
    CallShape("w1_gemm", "f32", (196, 384, 384)),
    CallShape("f32_gemm", "f32", (196, 384, 384)),
    CallShape("w1i8_gemm", "f32", (196, 384, 384)),
    CallShape("rows", "bits", (196, 384)),
    CallShape("layernorm", "bits", (196, 384)),
    CallShape("quantize", "int", (196, 384)),
    CallShape("b1_conv", "f32", (14, 14, 256, 256, 3, 1, 1)),
    CallShape("f32_stencil", "f32", (14, 14, 384)),
    CallShape("b1_attention", "int", (6, 64, 196, 196, 1)),
    CallShape("b1_relative_attention", "int", (3, 64, 197, 197)),
    CallShape("b1_biased_attention", "int", (6, 32, 49, 49)),
)
_TIME, _ROUNDS = "20ms", 3
_ILLEGAL_INSTRUCTION = -4
_TUNE_HINT = "leave `--tune` out: a model of the core chooses then; or tune on the board: `--tune HOST`"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Instruction:
    """`per_cycle` is how many are started; `latency_cycles` None where it was not measured."""

    name: str
    per_cycle: float
    latency_cycles: float | None


@dataclass(frozen=True)
class Bandwidth:
    """Of one core, for buffers of `bytes_`. A copy counts each byte once."""

    bytes_: int
    read_bytes_per_s: float
    write_bytes_per_s: float
    copy_bytes_per_s: float


@dataclass(frozen=True)
class KernelResult:
    """A variant on one call.

    `exact`: whether it gives scalar's bits, None where the processor lacks an instruction. `best_ns` is its quickest
    time, `macs_per_cycle` its multiply-accumulates per cycle; None where there are no figures.
    """

    call: CallShape
    variant: str
    exact: bool | None
    best_ns: int | None
    macs_per_cycle: float | None


@dataclass(frozen=True)
class ProbeReport:
    """What a machine answered on `date` (YYYY-MM-DD). Under an emulator only `kernels` say something, and no times."""

    machine: str
    host: str
    processor: str
    cores: int
    date: str
    emulated: bool
    freq_hz: float | None
    instructions: tuple[Instruction, ...]
    bandwidth: tuple[Bandwidth, ...]
    kernels: tuple[KernelResult, ...]


def probe_machine(way: Transport, target: Target, *, say: Say = lambda _: None) -> ProbeReport:
    """Builds the probe for a target and runs it in a way.

    Raises:
        ToolchainError: no compiler, or no emulator.
        BoardError: the machine cannot be reached or cannot run the program.
        TargetMismatch: the processor there is another than the target's.
    """
    _check_architecture(way, target, hint="emulate it: `edgebin targets probe --qemu TARGET`, or name its host")
    names = probe_paths(target.arch)
    tried = [(call, name) for call in SHAPES for name in names if name in _listed(call.kernel)]
    say(f"building the probe for {target.id}")
    repeats = "1" if way.emulated else _TIME
    lines = ["machine", "rates", "bandwidth", *(" ".join(call.arguments(v, repeats)) for call, v in tried)]
    say(f"trying {len(tried)} kernels on {way.name}")
    machine, rates, memory, *answers = _ask(way, target, lines)
    emulated = way.emulated or machine["emulated"]
    if not emulated:
        _check_core(machine, target, way)
    freq_hz = None if emulated else float(rates["freq_hz"])
    return ProbeReport(
        machine=way.name,
        host=machine["host"],
        processor=machine["model"] or target.core.name,
        cores=machine["cores"],
        date=_today(),
        emulated=emulated,
        freq_hz=freq_hz,
        instructions=()
        if emulated
        else tuple(Instruction(i["name"], i["per_cycle"], i.get("latency")) for i in rates["instructions"]),
        bandwidth=() if emulated else tuple(Bandwidth(b.pop("bytes"), **b) for b in memory["bandwidth"]),
        kernels=tuple(
            _result(call, variant, answer, freq_hz, emulated)
            for (call, variant), answer in zip(tried, answers, strict=True)
        ),
    )


def tuned_target(report: ProbeReport, target: Target) -> Target:
    """The target with the clock, the rates and the bandwidth that were measured.

    Raises:
        InputError: nothing was measured.
    """
    if report.emulated or report.freq_hz is None:
        raise InputError(
            "an emulated processor has no figures to save",
            hint="probe the board itself: `edgebin targets probe HOST -t TARGET --save FILE.toml`",
        )
    source = (
        f"measured with edgebin {edgebin.__version__} (`edgebin targets probe`) on {report.host} "
        f"({report.processor}), {report.date}"
    )
    rates = {i.name: round(i.per_cycle, 2) for i in report.instructions if i.name in Rates.model_fields}
    core = target.core.model_dump() | {"rates": rates, "rates_evidence": {"kind": "measured", "source": source}}
    memory = target.memory.model_dump() | {
        "copy_bandwidth_bytes_per_s": float(round(report.bandwidth[-1].copy_bytes_per_s)),
        "copy_bandwidth_source": source,
    }
    return Target.model_validate(
        target.model_dump()
        | {"id": f"{target.id.removesuffix('-tuned')}-tuned", "aliases": (), "freq_hz": round(report.freq_hz)}
        | {"core": core, "memory": memory}
    )


def tuner(way: Transport | Tracker, target: Target, *, say: Say = lambda _: None) -> Tuner:
    """Chooses kernels for a target by timing them over a way, or on the boards of a tracker, several at a time.

    Raises:
        TargetMismatch: this is no machine of the target's kind, or emulated: then times say nothing.
        BoardError: the machine cannot be reached.
        ToolchainError: no compiler; for a tracker also, TVM's libraries for the target have not been fetched.
    """
    _check_architecture(way, target, hint=_TUNE_HINT)
    _refuse_emulator(way.emulated, target, way)
    (machine,) = _ask(way, target, ["machine"])
    _check_machine(machine, target, way)

    def measure(call: CallShape, kernels: Sequence[Variant]) -> dict[str, int]:
        say(f"timing {call}")
        names = [variant.path for variant in kernels] * _ROUNDS
        # A key may name boards of several kinds: each that answers is looked at.
        machine, *answers = _ask(way, target, ["machine", *(" ".join(call.arguments(n, _TIME)) for n in names)])
        _check_machine(machine, target, way)
        results = [_result(call, name, answer, None) for name, answer in zip(names, answers, strict=True)]
        for result in results:
            if not result.exact or result.best_ns is None:
                raise VerificationError(
                    f"the kernel `{result.variant}` is not exact on {way.name}: {call}", max_abs_diff=float("inf")
                )
        return {name: min(r.best_ns or 0 for r in results if r.variant == name) for name in dict.fromkeys(names)}

    processor = machine["model"] or target.core.name
    if not isinstance(way, Tracker):
        return Tuner(f"{machine['host']} ({processor})", _today(), measure)
    devices = way.devices()
    plural = "" if devices == 1 else "s"
    return Tuner(f"{way.name} ({devices} device{plural}, {processor})", _today(), measure, at_once=devices)


def _listed(op: str) -> set[str]:
    return {variant.path for variant in variants() if variant.op == op}


def _ask(way: Transport | Tracker, target: Target, lines: Sequence[str]) -> list[dict[str, Any]]:
    """One answer for each line."""
    compiler = find_compiler(target)
    if isinstance(way, Tracker):
        answered = way.ask(probe_library(target, compiler, runtime_libraries(target)), lines).splitlines()
    else:
        answered = ask_program(way, probe_program(target, compiler), "probe", lines).splitlines()
    try:
        answers = [json.loads(line) for line in answered]
    except ValueError as error:
        raise BoardError(f"the probe's answer on {way.name} makes no sense: {error}") from error
    if len(answers) != len(lines) or not all(isinstance(answer, dict) for answer in answers):
        raise BoardError(f"the probe on {way.name} gave {len(answers)} answers to {len(lines)} questions")
    return answers


def _result(
    call: CallShape, variant: str, answer: dict[str, Any], freq_hz: float | None, emulated: bool = False
) -> KernelResult:
    if "failed" in answer:
        if answer["failed"] != _ILLEGAL_INSTRUCTION:
            raise BoardError(f"the kernel `{variant}` died ({answer['failed']}): {call}")
        return KernelResult(call, variant, None, None, None)
    if emulated:
        return KernelResult(call, variant, answer["exact"], None, None)
    best_ns = int(min(answer["ns"]))
    macs = answer["bmac"]
    per_cycle = macs / (best_ns * 1e-9 * freq_hz) if freq_hz and macs and best_ns else None
    return KernelResult(call, variant, answer["exact"], best_ns, per_cycle)


def _check_architecture(way: Transport | Tracker, target: Target, *, hint: str) -> None:
    if type(way) is LocalTransport and host_arch() != target.arch:
        raise TargetMismatch(f"{way.name} is {host_arch()}, {target.id} is {target.arch}", hint=hint)


def _check_machine(machine: dict[str, Any], target: Target, way: Transport | Tracker) -> None:
    _refuse_emulator(machine["emulated"], target, way)
    if missing := sorted(set(target.features) - set(machine["features"].split())):
        raise TargetMismatch(f"{way.name} is no {target.id}: it lacks {', '.join(missing)}", hint=_TUNE_HINT)
    _check_core(machine, target, way)


def _refuse_emulator(emulated: bool, target: Target, way: Transport | Tracker) -> None:
    if emulated:
        raise TargetMismatch(f"{way.name} is an emulator, whose times say nothing about {target.name}", hint=_TUNE_HINT)


def _check_core(machine: dict[str, Any], target: Target, way: Transport | Tracker) -> None:
    said = (machine["implementer"], machine["part"])
    expected = (target.core.implementer, target.core.part)
    if all(said) and None not in expected and tuple(int(word, 16) for word in said) != expected:
        raise TargetMismatch(
            f"{way.name} has a processor of implementer {said[0]}, part {said[1]}; "
            f"{target.id} has {target.core.name} ({expected[0]:#x}, {expected[1]:#x})",
            hint="name the target that it is: `edgebin targets list`",
        )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
