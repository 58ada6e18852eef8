"""Checks a bundle against the golden outputs it carries, on the machine it is for."""

from __future__ import annotations

from dataclasses import dataclass

from edgebin.board.choose import machine_for
from edgebin.board.invoke import OutputComparison, invoke
from edgebin.board.layers import LayerComparison, compare_layers
from edgebin.board.machine import Machine
from edgebin.bundle import Bundle
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME, GOLDEN_OUTPUTS_NAME
from edgebin.errors import VerificationError


@dataclass(frozen=True)
class VerifyReport:
    """How a bundle did. `max_abs_diff` is over all outputs; infinite where one is not a number."""

    passed: bool
    machine: str
    emulated: bool
    rows: int
    atol: float
    rtol: float
    max_abs_diff: float
    outputs: tuple[OutputComparison, ...]


def check_bundle(bundle: Bundle, *, machine: Machine | None = None, threads: int = 1) -> VerifyReport:
    """Runs the golden inputs and compares, element by element, with the manifest's tolerance.

    Raises:
        TargetMismatch, ToolchainError: as `machine_for`.
        BoardError: the runner died.
    """
    machine = machine or machine_for(bundle)
    folder = bundle.extracted()
    golden = [folder / GOLDEN_INPUTS_NAME, folder / GOLDEN_OUTPUTS_NAME]
    report = invoke(machine, bundle, ["--golden", *golden, "--threads", str(threads)]).golden
    assert report is not None  # the runner was asked for it
    differences = [float("inf") if output.max_abs_diff is None else output.max_abs_diff for output in report.outputs]
    return VerifyReport(
        passed=report.passed,
        machine=machine.name,
        emulated=machine.emulated,
        rows=report.rows,
        atol=report.atol,
        rtol=report.rtol,
        max_abs_diff=max(differences),
        outputs=report.outputs,
    )


def verify_bundle(bundle: Bundle, *, machine: Machine | None = None, threads: int = 1) -> VerifyReport:
    """As `check_bundle`, for those who want to go on only if it passed.

    Raises:
        VerificationError: an output differs; says which, by how much, and how many rows are classified otherwise.
    """
    report = check_bundle(bundle, machine=machine, threads=threads)
    if report.passed:
        return report
    layers = compare_layers(bundle, machine or machine_for(bundle))
    wrong = next((layer for layer in layers if layer.differing), None)
    failed = [output for output in report.outputs if not output.passed]
    worst = max(failed, key=lambda output: float("inf") if output.max_abs_diff is None else output.max_abs_diff)
    difference = "a value that is not finite" if worst.max_abs_diff is None else f"{worst.max_abs_diff:.3g}"
    raise VerificationError(
        f"output `{worst.name}` differs from the golden one by {difference} on {report.machine} (allowed: "
        f"{report.atol:g} + {report.rtol:g}·|golden|); same largest element in {worst.same_argmax} of {worst.vectors}"
        f"{_where(wrong)}",
        max_abs_diff=report.max_abs_diff,
        layer=wrong.layer if wrong else None,
        hint="the bundle was compiled wrongly for this machine: compile it again, and report it if it stays",
    )


def _where(layer: LayerComparison | None) -> str:
    if layer is None:
        return ""
    return f"; the first layer that differs is `{layer.layer}` ({layer.differing} of {layer.samples} samples)"
