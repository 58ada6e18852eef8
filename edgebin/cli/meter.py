"""`edgebin meter`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgebin.cli import output


def meter(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder of a profile with `--energy meter`.")],
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG.csv",
            help="What the meter recorded meanwhile: CSV with a header that names time and power, or time, voltage and "
            "current, with units (Joulescope, PPK2, Otii and others).",
        ),
    ],
    volts: Annotated[
        float | None,
        typer.Option("--volts", min=0.1, metavar="V", help="Voltage of the supply, for a log that has only current."),
    ] = None,
) -> None:
    """Add the energy that an external meter has recorded to a run.

    The meter's clock is laid over the board's by when the board was busy and when it was idle, and by absolute times
    where the log has them. A log that fits nowhere, or in several places, is refused.
    """
    from edgebin.errors import MeasurementInvalid
    from edgebin.profile.energy.meter import add_meter_log
    from edgebin.profile.quantities import MeasuredEnergy

    record = add_meter_log(run, log, volts=volts)
    assert record.power is not None
    rows = []
    for variant in record.variants:
        if isinstance(variant.energy, MeasuredEnergy):
            energy = variant.energy
            dynamic = energy.dynamic_j_per_inference
            rows.append(
                (
                    variant.name,
                    str(variant.threads),
                    f"{energy.total_j_per_inference:.4g}",
                    "" if dynamic is None else f"{dynamic:.4g}",
                    f"{energy.mean_w:.3f}",
                )
            )
    output.table(("variant", "threads", "J/inference", "above idle", "mean W"), rows)
    typer.echo()
    output.fields(
        {
            "source": f"{record.power.source} (trust {record.power.trust}): {record.power.boundary}",
            "clock": record.power.alignment or "",
            "flags": ", ".join(record.validity.flags) or "none",
        }
    )
    output.next_line("report", run)
    if not record.validity.ok:
        raise MeasurementInvalid(
            f"the figures must not be trusted: {', '.join(record.validity.flags)}",
            flags=record.validity.flags,
            hint="`edgebin report` says what each of these means",
        )
