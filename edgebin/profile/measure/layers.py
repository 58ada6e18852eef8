"""What each function of a bundle takes, from inferences of their own: looking at functions slows them down."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from edgebin.board.invoke import FunctionTime
from edgebin.bundle.manifest import Operation
from edgebin.profile.record import Layer


class FunctionTimes(BaseModel):
    """What a runner says of functions in `functions_runs` inferences, among other things."""

    model_config = ConfigDict(frozen=True)

    functions_runs: int
    functions: tuple[FunctionTime, ...]


def layers_of(report: FunctionTimes, variant: str, operations: Sequence[Operation]) -> tuple[Layer, ...]:
    """The runner's per-function times as layers of a variant, the slowest first."""
    runs = max(1, report.functions_runs)
    total = sum(function.self_ns for function in report.functions)
    purpose = {operation.function: operation for operation in operations}
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
            bundle=variant,
        )
        for function in sorted(report.functions, key=lambda function: -function.self_ns)
    )
