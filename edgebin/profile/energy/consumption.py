"""Energy that nobody measured: published power of such a board, times the latency. A range, and a refusal where there
is no power to speak of.

Power is taken to go straight from idle to all cores busy. Which of two loads inferences are more like, `stress` or HPL,
is not known, so the range goes from the lowest to the highest of all sources; these differ by up to 1.9 times.
"""

from __future__ import annotations

from edgebin.errors import InputError
from edgebin.profile.quantities import EstimatedEnergy, EstimatedLatency, Latency
from edgebin.targets import Target

BOUNDARY = "the board at its input, from published measurements of other such boards"


def why_no_estimate(target: Target) -> str | None:
    """Why there is no estimate of energy for a target; None where there is one."""
    if target.power is None:
        return f"no power of {target.name} has been published in its target file"
    return target.power.refused


def power_range_w(target: Target, threads: int) -> tuple[float, float]:
    """Lowest and highest power of the whole board with so many cores busy.

    Raises:
        InputError: there is no estimate for this target; the message says why.
    """
    refused = why_no_estimate(target)
    if refused is not None or target.power is None:
        raise InputError(f"no estimate of energy: {refused}", hint="measure it, with a sensor or `--energy meter`")
    share = min(threads, target.cores) / target.cores
    watts = []
    for published in target.power.published.values():
        watts += [published.active_w] if published.active_w is not None else []
        watts += [published.one_core_w] if published.one_core_w is not None and threads == 1 else []
        for load in (published.stress_w, published.heaviest_w):
            if load is not None and published.idle_w is not None:
                watts.append(published.idle_w * (1 - share) + load * share)
    if not watts:
        raise InputError(f"no estimate of energy: nothing is published of {target.name} with {threads} cores busy")
    return min(watts), max(watts)


def estimate_energy(target: Target, latency: Latency, threads: int) -> EstimatedEnergy:
    """Of one inference that keeps so many cores busy. The error bound of an estimated latency widens the range.

    Raises:
        InputError: there is no estimate for this target; the message says why.
    """
    low_w, high_w = power_range_w(target, threads)
    assert target.power is not None
    if isinstance(latency, EstimatedLatency):
        bound = latency.error_bound
        low_s, high_s = (latency.p50_ms * (1 + error) / 1e3 for error in (bound.low, bound.high))
        basis_of_time = f"latency is an estimate too, {bound.low:+.0%} to {bound.high:+.0%}: {bound.basis}"
    else:
        low_s = high_s = latency.mean_ms / 1e3
        basis_of_time = "latency is measured"
    return EstimatedEnergy(
        total_low_j_per_inference=low_w * low_s,
        total_high_j_per_inference=high_w * high_s,
        mean_low_w=low_w,
        mean_high_w=high_w,
        basis=(
            *(published.source for published in target.power.published.values()),
            f"power is assumed to go straight from idle to {target.cores} busy cores, of which there are "
            f"{min(threads, target.cores)}",
            basis_of_time,
        ),
    )
