"""Records and run folders such as `edgebin profile` writes, made up: every figure is of this file, not of a machine."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgebin.profile.quantities import (
    ErrorBound,
    EstimatedEnergy,
    EstimatedLatency,
    MeasuredEnergy,
    MeasuredLatency,
    Speedup,
)
from edgebin.profile.record import (
    Artefact,
    Clock,
    Device,
    Environment,
    Layer,
    Power,
    Protocol,
    RunRecord,
    Validity,
    Variant,
)

MEDIANS_MS = {"binary": 24.6, "fp32": 92.1, "int8": 51.3}
GAINS = {"binary": {1: 1.0, 2: 1.86, 4: 3.1}, "fp32": {1: 1.0, 2: 1.9, 4: 3.4}, "int8": {1: 1.0, 2: 1.8, 4: 2.9}}
WATTS = {"binary": 5.1, "fp32": 6.4, "int8": 5.8}
IDLE_W = 2.72
WINDOWS, WINDOW_S, IDLE_S = 3, 4.0, 6.0
RUNS_IN_WINDOW = 100
KINDS = (
    ("b1_gemm", 48, 11.2),
    ("b1_attention", 12, 4.1),
    ("f32_gemm", 2, 5.2),
    ("rows", 37, 2.9),
    ("", 9, 1.2),
)
FP32_KINDS = (("MatMul", 84, 78.0), ("", 28, 7.1), ("Transpose", 49, 4.2), ("LayerNormalization", 24, 2.8))

HOSTILE = (
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg></style><iframe src=https://example.org>",
    "{{ 7 * 7 }}{% raw %}",
    "| a | b |\n# heading",
    "![pixel](https://example.org/p.png)",
    "\x1b[31mred\x00\u202eright to left",
    "n" * 5000,
)


def measured_record(
    threads: tuple[int, ...] = (1,), *, energy: bool = True, device: Device | None = None, factor: float = 1.0
) -> RunRecord:
    """A Raspberry Pi 5 that nobody has; `factor` makes it slower."""
    variants = [_variant(name, n, factor, energy) for n in threads for name in ("binary", "fp32", "int8")]
    return RunRecord(
        edgebin_version="0.1.0",
        created_utc="2026-01-02T03:04:05+00:00",
        bundles=(Artefact("digits-rpi5.ebz", "9f" * 32, 2_870_000),),
        device=device
        or Device(
            "rpi5", "Raspberry Pi 5", "Arm Cortex-A76", 2_400_000_000, "Debian GNU/Linux 12, 4 processors", "pi5"
        ),
        protocol=Protocol(threads, 50, 5.0, 1.0, 40, True, Clock(2.388e9, 2.4e9)),
        variants=tuple(variants),
        layers=(*layers("measured", factor), *layers("measured", factor, "fp32")),
        validity=Validity(True),
        notes=("the full-precision twin has random weights: it serves for latency only",),
        power=_power() if energy else None,
        no_energy=None if energy else "the board has no sensor of its power",
        environment=Environment(
            board(51.2), board(63.7), ({"what": "governor", "before": "ondemand", "after": "performance"},)
        ),
    )


def estimated_record() -> RunRecord:
    """For a Raspberry Pi 4."""
    bound = ErrorBound(-0.24, 0.18, "a cycle-level simulator, on kernels that fit the first-level cache")
    sources = ("PowerJoular's model of a Raspberry Pi 4B", "Geerling's measurements under load")
    variants = tuple(
        Variant(
            name,
            "edgebin 0.1.0, TVM 0.27.0" if name == "binary" else "onnxruntime 1.31.1",
            EstimatedLatency(ms, ms * 1.5e6, int(ms * 2e6), bound, {"vector": ms * 1e6, "load": ms * 5e5}),
            Speedup(1222.0 / ms),
            2_870_000 if name == "binary" else 88_100_000,
            energy=EstimatedEnergy(2.3e-3 * ms, 3.7e-3 * ms, 2.3, 3.7, sources),
        )
        for name, ms in {"binary": 92.3, "fp32": 1222.0}.items()
    )
    return replace(
        measured_record(),
        bundles=(Artefact("digits-rpi4b.ebz", "3c" * 32, 2_870_000),),
        device=Device("rpi4b", "Raspberry Pi 4B", "Arm Cortex-A72", 1_500_000_000),
        protocol=Protocol((1,), 1, 0.0, 0.0, 1, False),
        variants=variants,
        layers=layers("estimate", 3.75),
        power=None,
        environment=None,
    )


def invalid_record() -> RunRecord:
    """One that throttled."""
    flags = ("throttled", "clock_drift", "imprecise:int8", "of_a_newer_edgebin")
    return replace(measured_record(energy=False), validity=Validity(False, flags))


def hostile_record() -> RunRecord:
    """Every text that a record can hold tries to be more than text."""
    texts = iter(HOSTILE * 40)
    record = measured_record((1, 2))
    names = {"binary": next(texts), "fp32": "fp32", "int8": next(texts)}
    assert record.power is not None
    return replace(
        record,
        edgebin_version=next(texts),
        created_utc=next(texts),
        bundles=(Artefact(next(texts), next(texts), 5, names["binary"]),),
        device=Device(next(texts), next(texts), next(texts), 1, next(texts), next(texts)),
        variants=tuple(replace(v, name=names[v.name], engine=next(texts), note=next(texts)) for v in record.variants),
        layers=tuple(
            replace(layer, name=next(texts), op=next(texts), variant=next(texts), bundle=names["binary"])
            for layer in record.layers[:12]
        ),
        validity=Validity(False, HOSTILE),
        notes=HOSTILE,
        power=replace(
            record.power,
            source=next(texts),
            boundary=next(texts),
            channels=HOSTILE,
            alignment=next(texts),
            settings={next(texts): next(texts)},
        ),
        no_energy=next(texts),
        environment=Environment(
            {"model": next(texts), "cpus": next(texts), "temperatures": [next(texts)], "os": {next(texts): 1}},
            {"model": next(texts), "throttled": next(texts), "kernel": next(texts)},
            ({"what": next(texts), "before": next(texts), "after": next(texts)},),
        ),
    )


def layers(kind: Any, factor: float, variant: str = "binary") -> tuple[Layer, ...]:
    """Of a variant, the longest first."""
    kinds = KINDS if variant == "binary" else FP32_KINDS
    total = sum(ms for _, _, ms in kinds)
    found = [
        Layer(
            f"{op or 'fused'}__encoder_layer_{i}_linear",
            op,
            (f"encoder.layer.{i}.linear",) if op else (),
            kind,
            factor * ms / number,
            ms / number / total,
            1,
            variant="neon_dotprod" if op and variant == "binary" else None,
            bundle=variant,
        )
        for op, number, ms in kinds
        for i in range(number)
    ]
    return tuple(sorted(found, key=lambda layer: -layer.latency_ms))


def board(celsius: float) -> dict[str, Any]:
    """What `agent inspect` prints."""
    cpu = {"implementer": 65, "part": 0xD0B, "max_hz": 2_400_000_000, "current_hz": 2_400_000_000}
    return {
        "model": "Raspberry Pi 5 Model B Rev 1.0",
        "machine": "aarch64",
        "kernel": "6.6.31",
        "os": "Debian GNU/Linux 12",
        "userland_bits": 64,
        "glibc": "2.36",
        "features": ["fp", "asimd", "asimddp"],
        "cpus": [{"cpu": i, "governor": "ondemand", **cpu} for i in range(4)],
        "page_bytes": 16384,
        "memory_total_bytes": 8_453_000_000,
        "memory_available_bytes": 7_900_000_000,
        "disk_free_bytes": 48_000_000_000,
        "load_1min": 0.1,
        "busy_processors": 0.0,
        "temperatures": [{"name": "cpu-thermal", "celsius": celsius}],
        "throttled": {"source": "firmware", "bits": 0},
        "over_current": [],
        "nvpmodel": None,
        "firmware": None,
        "power_sources": [
            {
                "source": "pmic",
                "readable": True,
                "problem": None,
                "boundary": "the rails of the power controller",
                "trust": "C",
                "reading": "power",
                "settings": {},
                "channels": [
                    {"label": "VDD_CORE", "total": True},
                    {"label": "DDR", "total": True},
                    {"label": "EXT5V", "total": False},
                ],
            }
        ],
    }


def write_run(folder: Path, record: RunRecord, *, rounds: int = 40, seed: int = 1) -> Path:
    """The run folder of a record: timings round its medians, and power with the windows of one session."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record.to_dict()), encoding="utf-8")
    generator = random.Random(seed)
    with (folder / "latency.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["variant", "threads", "kind", "round", "latency_ms"])
        for variant in record.variants:
            if record.kind == "estimate":
                writer.writerow([variant.name, 1, "estimate", 0, variant.latency.p50_ms])
                continue
            for number in range(rounds):
                drift = 1 + 0.004 * generator.gauss(0, 1)
                for _ in range(8):
                    tail = generator.expovariate(30) if generator.random() < 0.2 else 0.0
                    ms = variant.latency.p50_ms * drift * (1 + abs(generator.gauss(0, 0.01)) - 0.007 + tail)
                    writer.writerow([variant.name, variant.threads, "measured", number, f"{ms:.6f}"])
    if record.power is not None:
        _write_trace(folder, record, generator)
    return folder


def _write_trace(folder: Path, record: RunRecord, generator: random.Random) -> None:
    names = list(dict.fromkeys(variant.name for variant in record.variants))
    started = 1_000_000_000_000
    events: list[dict[str, Any]] = [
        {"event": "begin", "agent": 1, "monotonic_ns": started, "board": board(51.2)},
        {"event": "session", "session": 0, "threads": record.protocol.threads[0], "cores": "-"},
        *({"event": "started", "session": 0, "contender": i, "name": name} for i, name in enumerate(names)),
    ]
    samples = []
    now = started + 5_000_000_000

    def pass_(seconds: float, watts: float, event: dict[str, Any] | None) -> None:
        nonlocal now
        end = now + round(seconds * 1e9)
        if event is not None:
            events.append({**event, "session": 0, "begin_ns": now, "end_ns": end})
        while now < end:
            total = watts + generator.gauss(0, 0.12)
            samples.append({"t_ns": now, "w": [0.8 * total, 0.2 * total, 1.0]})
            now += 10_000_000
        now = end

    pass_(IDLE_S, IDLE_W, {"event": "idle"})
    for window in range(WINDOWS):
        for turn in range(len(names)):
            contender = (turn + window) % len(names)
            watts = list(WATTS.values())[contender % len(WATTS)]
            pass_(0.3, IDLE_W + 1, None)
            pass_(
                WINDOW_S, watts, {"event": "window", "window": window, "contender": contender, "runs": RUNS_IN_WINDOW}
            )
    pass_(IDLE_S, IDLE_W, {"event": "idle"})
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    (folder / "power.jsonl").write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")


def _variant(name: str, threads: int, factor: float, energy: bool) -> Variant:
    ms = factor * MEDIANS_MS[name] / GAINS[name][threads]
    speedup = MEDIANS_MS["fp32"] / GAINS["fp32"][threads] * factor / ms
    ours = name == "binary"
    return Variant(
        name,
        "edgebin 0.1.0, TVM 0.27.0.post1, kernels neon_dotprod" if ours else "onnxruntime 1.31.1",
        MeasuredLatency(320, ms, ms * 1.02, ms * 1.08, ms * 0.985, ms * 1.005, ms * 0.012, (ms * 0.998, ms * 1.003)),
        Speedup(speedup, speedup * 1.01, speedup * 0.995, speedup * 1.004),
        2_870_000 if ours else 88_100_000,
        39_300_000 if ours else 135_000_000,
        19.0,
        ms * 1.4,
        threads=threads,
        cpus=tuple(range(4 - threads, 4)),
        energy=_energy(name, ms) if energy else None,
    )


def _energy(name: str, ms: float) -> MeasuredEnergy:
    total, dynamic = WATTS[name] * ms / 1e3, (WATTS[name] - IDLE_W) * ms / 1e3
    return MeasuredEnergy(
        total,
        dynamic,
        (total * 0.99, total * 1.01),
        (dynamic * 0.98, dynamic * 1.02),
        WATTS[name],
        WATTS[name] + 0.4,
        WINDOWS,
        WINDOWS * RUNS_IN_WINDOW,
    )


def _power() -> Power:
    return Power(
        "pmic",
        "the rails of the power controller; USB, fan and other 5 V loads are outside",
        "C",
        ("VDD_CORE", "DDR"),
        100.0,
        99.7,
        5_400,
        WINDOWS,
        WINDOW_S,
        IDLE_W - 0.01,
        IDLE_W + 0.01,
        0.004,
        settings={"update_interval_ms": 7},
    )
