"""What people paste must be right to the letter, and an estimate must never pass for a measurement."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from edgebin.profile.quantities import ErrorBound, EstimatedLatency, MeasuredLatency, Speedup
from edgebin.profile.record import Artefact, Device, Layer, Protocol, RunRecord, Validity, Variant
from edgebin.report import report_csv, report_json, report_markdown, report_screen
from tests.report.builder import estimated_record, measured_record

BUNDLE = Artefact("digits-x86-64.ebz", "0" * 64, 15_500_000)
LAYERS = tuple(
    Layer(f"gemm_{i}", "b1_gemm", (f"layer.{i}.linear",), "measured", 0.5 / (i + 1), 0.5 / (i + 1), 1) for i in range(3)
)


def measured() -> RunRecord:
    binary = Variant(
        "binary",
        "edgebin 0.1.0",
        MeasuredLatency(500, 1.5, 1.6, 1.75, 1.45, 1.52, 0.04),
        Speedup(8.0, 8.1, 7.9, 8.1),
        15_500_000,
        35_000_000,
        12.0,
        2.5,
        cpus=(1,),
    )
    fp32 = Variant(
        "fp32",
        "onnxruntime 1.31.1",
        MeasuredLatency(400, 12.0, 12.5, 13.0, 11.745, 12.1, 0.3),
        Speedup(1.0, 1.0, 1.0, 1.0),
        88_100_000,
        188_800_000,
        546.0,
        20.0,
        note="a note",
        cpus=(1,),
    )
    return RunRecord(
        edgebin_version="0.1.0",
        created_utc="2026-01-02T03:04:05+00:00",
        bundles=(BUNDLE,),
        device=Device("x86-64", "this host", "some processor", 3_000_000_000, "Linux"),
        protocol=Protocol((1,), 50, 5.0, 1.0, 40, True),
        variants=(binary, fp32),
        layers=LAYERS,
        validity=Validity(True),
    )


def estimated() -> RunRecord:
    bound = ErrorBound(-0.24, 0.18, "a simulator")
    latencies = {"binary": 92.3, "fp32": 1222.0}
    variants = tuple(
        Variant(
            name, "engine", EstimatedLatency(ms, ms * 1.5e6, 1000, bound, {"slots": 1.0}), Speedup(1222.0 / ms), 2_700
        )
        for name, ms in latencies.items()
    )
    layers = tuple(replace(layer, kind="estimate", cycles=7.0, instructions=9) for layer in LAYERS)
    device = Device("rpi4b", "Raspberry Pi 4B", "Arm Cortex-A72", 1_500_000_000)
    return replace(measured(), device=device, variants=variants, layers=layers)


MEASURED_MARKDOWN = """\
digits-x86-64.ebz on this host (some processor, 3.00 GHz), 1 thread: measured

| variant | p50 | p99 | × vs fp32 | file | peak RSS |
| --- | ---: | ---: | ---: | ---: | ---: |
| fp32 (onnxruntime 1.31.1) | 12.0 ± 0.300 ms | 13.0 ms | 1.00× | 88.1 MB | 189 MB |
| binary (edgebin 0.1.0) | 1.50 ± 0.0400 ms | 1.75 ms | 8.00× [7.90, 8.10] | 15.5 MB | 35.0 MB |

| function | op | calls | time | share |
| --- | ---: | ---: | ---: | ---: |
| gemm_0 | b1_gemm | 1 | 0.500 ms | 50.0 % |
| gemm_1 | b1_gemm | 1 | 0.250 ms | 25.0 % |
| 1 others | – | 1 | 0.167 ms | 16.7 % |

- p50 is the median ± standard deviation of at least 50 inferences and 5 s of each variant after warm-up, taken in \
turns (40 rounds) on processors 1 with 1 thread; p99 is their 99th percentile.
- × vs fp32: ratio of medians with its 95 % bootstrap interval. Of the minima: binary 8.10×, fp32 1.00×.
- First inference and load time (process start to model ready): binary 2.50 ms and 12 ms, fp32 20.00 ms and 546 ms.
- File: the whole bundle, runtime libraries included; of a baseline the model's file alone.
- fp32: a note.
"""

ESTIMATED_MARKDOWN = """\
digits-x86-64.ebz on Raspberry Pi 4B (Arm Cortex-A72, 1.50 GHz), 1 thread: estimated, not measured

| variant | p50 | p99 | × vs fp32 | file | peak RSS |
| --- | ---: | ---: | ---: | ---: | ---: |
| fp32 (engine) | ~1222 ms (est. −24…+18 %) | – | ~1.00× (est.) | 3 kB | – |
| binary (engine) | ~92.3 ms (est. −24…+18 %) | – | ~13.2× (est.) | 3 kB | – |

| function | op | calls | time | share |
| --- | ---: | ---: | ---: | ---: |
| gemm_0 | b1_gemm | 1 | ~0.500 ms (est.) | 50.0 % |
| gemm_1 | b1_gemm | 1 | ~0.250 ms (est.) | 25.0 % |
| 1 others | – | 1 | ~0.167 ms (est.) | 16.7 % |

- Estimates: instructions of the real programs were counted exactly under QEMU and costed on a model of Arm Cortex-A72 \
with its published instruction rates, for one thread and warm caches. The true time may differ by −24…+18 % \
(a simulator).
- × vs fp32: estimated latency of fp32 divided by that of the variant.
- File: the whole bundle, runtime libraries included; of a baseline the model's file alone.
"""


def test_markdown_of_a_measurement() -> None:
    assert report_markdown(measured(), top=2) == MEASURED_MARKDOWN


def test_markdown_of_an_estimate() -> None:
    assert report_markdown(estimated(), top=2) == ESTIMATED_MARKDOWN


@pytest.mark.parametrize("record", [measured(), estimated()], ids=["measured", "estimated"])
def test_screen_shows_the_same_cells_as_markdown(record: RunRecord) -> None:
    stream = io.StringIO()
    Console(file=stream, width=220, no_color=True).print(report_screen(record, top=2))
    screen = stream.getvalue()
    for line in report_markdown(record, top=2).splitlines():
        if line.startswith("| ") and "---" not in line:
            for cell in line.strip("| ").split(" | "):
                assert cell in screen


@pytest.mark.parametrize("record", [measured(), estimated()], ids=["measured", "estimated"])
def test_csv_and_json_say_what_kind_each_latency_is(record: RunRecord) -> None:
    rows = list(csv.DictReader(io.StringIO(report_csv(record))))
    assert [row["variant"] for row in rows] == ["binary", "fp32"]
    assert {row["kind"] for row in rows} == {record.kind}
    assert float(rows[0]["p50_ms"]) == record.variants[0].latency.p50_ms
    assert bool(rows[0]["error_low"]) == (record.kind == "estimate")
    assert bool(rows[0]["p99_ms"]) == (record.kind == "measured")
    assert RunRecord.from_dict(json.loads(report_json(record))) == record


def test_invalid_measurement_says_so_first() -> None:
    record = replace(measured(), validity=Validity(False, ("imprecise:binary",)))
    assert "not to be trusted: imprecise:binary" in report_markdown(record).splitlines()[0]


def test_every_energy_in_the_csv_says_what_its_sensor_sees() -> None:
    record = measured_record()
    rows = list(csv.DictReader(io.StringIO(report_csv(record))))
    assert record.power is not None
    assert {(row["power_trust"], row["power_boundary"]) for row in rows} == {
        (record.power.trust, record.power.boundary)
    }
    estimated = list(csv.DictReader(io.StringIO(report_csv(estimated_record()))))
    assert {(row["power_trust"], row["power_boundary"]) for row in estimated} == {("E", "the board at its input")}
