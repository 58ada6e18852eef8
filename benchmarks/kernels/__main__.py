"""`python -m benchmarks.kernels --json FILE [--quick] [--shapes NAME ...] [--paths PATH ...]`: figures of all kernels.

On this machine every variant is timed in turns with onnxruntime; for each ARM core every variant is counted under QEMU
and costed by the cycle model. The table goes to stderr as it is made, the rows to FILE.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.kernels.arm import CORES, Core, qemu_version, rates_table
from benchmarks.kernels.host import measure
from benchmarks.kernels.peers import ort, published
from benchmarks.kernels.report import write_report
from benchmarks.kernels.shapes import Call, read_shapes, shape_files
from benchmarks.kernels.table import Table
from benchmarks.kernels.x86_loops import inner_loops
from edgebin.errors import EdgebinError
from edgebin.kernels.probe import probe_program
from edgebin.kernels.select import host_paths, with_tunings
from edgebin.kernels.variants import variants
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler

METHODS = {
    "measured": "x86: ns_*, gmac_per_s, speedup_*. One thread; contenders take turns in one run; speedup_* are ratios "
    "of minima, *_median of medians. onnxruntime does the bare product (MatMul), ours epilogue and stores too. It uses "
    "all that the processor has (AVX-512, VNNI), also beside our avx2.",
    "executed": "ARM: instructions, bmac_per_instruction, instruction_classes, functions. Counted under QEMU, exactly "
    "and repeatably, in one call of the kernel compiled for the core.",
    "modelled": "ARM: everything per cycle. Executed blocks costed with the issue rates under `cores`; caches always "
    "hit, branches are always predicted. No board has confirmed it: see edgebin/profile/estimate/cycles.py.",
    "inner_loop": "The hottest loop that does the work; its multiply-accumulates are its share of the instructions "
    "that do them (CNT, TBL, FMLA).",
    "limit": "The shortest sequence of vector instructions for the work, without loads, flushes and epilogue, at the "
    "same rates (benchmarks/kernels/limits.py).",
}
_NO_FIGURES = ("bmac_per_instruction", "bmac_per_cycle_model", "speedup_vs_ort_fp32", "speedup_vs_ort_int8")


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kernels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the rows go")
    parser.add_argument("--quick", action="store_true", help="few rounds; only the shapes that figures are quoted for")
    parser.add_argument("--shapes", nargs="+", metavar="NAME", help=f"shape files: {', '.join(shape_files())}")
    parser.add_argument("--paths", nargs="+", metavar="PATH", help="paths and tunings (default: all)")
    options = parser.parse_args()
    rounds = 5 if options.quick else 25
    try:
        names = options.shapes or (["issue"] if options.quick else shape_files())
        calls = {name: read_shapes(name) for name in sorted(names, key=lambda name: name != "issue")}
        rows = []
        table = Table(sys.stderr)
        for row in _rows(calls, options.paths, rounds):
            table.add(row)
            rows.append(row)
        cores = {name: rates_table(Core(name)) for name in CORES}
        loops = _x86_loops(rows)
    except EdgebinError as error:
        sys.exit(f"error: {error}" + (f"\n\nhint: {error.hint}" if error.hint else ""))
    report = {
        "rows": rows,
        "cores": cores,
        "x86_inner_loops": loops,
        "methods": METHODS,
        "machine": _machine(),
        "rounds": rounds,
    }
    write_report(report, options.json)


def _rows(calls: dict[str, list[Call]], paths: list[str] | None, rounds: int) -> Iterator[dict[str, Any]]:
    for core, path, call, models, figures in _figures(_distinct(calls), paths, rounds):
        row = {
            "kernel": call.op,
            "path": path,
            "shape": list(call.shape),
            "dims": dict(call.sizes),
            "part": list(call.part.functions) if call.part else None,
            "out": call.out,
            "core": core,
            "models": models,
            "peers": published(call),
            **dict.fromkeys(_NO_FIGURES),
            **figures,
        }
        yield row


def _distinct(calls: dict[str, list[Call]]) -> dict[Call, dict[str, int]]:
    """Each call once, with how often each model makes it."""
    distinct: dict[Call, dict[str, int]] = {}
    for name, of in calls.items():
        for call in of:
            once = Call(call.op, call.dims, call.out, part=call.part)
            distinct.setdefault(once, {})[name] = call.count
    return distinct


def _figures(
    calls: dict[Call, dict[str, int]], wanted: list[str] | None, rounds: int
) -> Iterator[tuple[str, str, Call, dict[str, int], dict[str, Any]]]:
    known = {(variant.op, variant.path) for variant in variants() if not wanted or variant.path in wanted}
    if platform.machine() == "x86_64":
        target = load_target("x86-64")
        probe = probe_program(target, find_compiler(target))
        for call, models in calls.items():
            paths = [path for path in with_tunings(host_paths()) if path != "scalar" and (call.kernel, path) in known]
            if paths and not call.part:
                for figures in measure(probe, call, paths, rounds):
                    yield "x86-64", figures.pop("path"), call, models, figures
    for name, (_, core_paths) in CORES.items():
        core = Core(name)
        for path in core_paths:
            for call, models in calls.items():
                if (call.kernel, path) in known:
                    yield name, path, call, models, core.row(call, path)


def _x86_loops(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """By path and operation, for what was timed."""
    target = load_target("x86-64")
    timed = [row for row in rows if row["core"] == "x86-64"]
    loops = {}
    for path in dict.fromkeys(row["path"] for row in timed):
        ops = dict.fromkeys(row["kernel"] for row in timed if row["path"] == path and row["gmac_per_s"])
        known = {variant.op for variant in variants() if variant.path == path}
        loops[path] = inner_loops(target, find_compiler(target), path, [op for op in ops if op in known])
    return loops


def _machine() -> dict[str, Any]:
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    return {
        "processor": model.partition(":")[2].strip(),
        "paths": list(host_paths()),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "onnxruntime": ort.__version__,
        "python": platform.python_version(),
        "compiler": "zig cc (clang), -O3 -std=c11 -ffp-contract=off, for exactly the core",
        "emulator": qemu_version(),
    }


if __name__ == "__main__":
    main()
