"""x86: each variant and its peers in onnxruntime take turns, so that load and clock changes hit all alike.

Ours run in the probe, which waits for its turn (`probe paced`) and times each call itself; onnxruntime is timed around
`run_with_iobinding`. A turn is a few calls of one contender; a round is a turn of each. The first round is thrown away.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.kernels.peers import Run, onnxruntime_peers
from benchmarks.kernels.shapes import Call
from edgebin.errors import BoardError

_CALLS_PER_TURN = 5


class Paced:
    """A kernel call in a probe of its own, one turn at a time."""

    def __init__(self, probe: Path, call: Call, path: str) -> None:
        argv = [probe, "paced", call.op, path, call.out, str(_CALLS_PER_TURN), *map(str, call.dims)]
        self._name = f"{call.op} on {path}"
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.report = self._read()

    def turn(self) -> list[int]:
        """Nanoseconds of each call of one turn."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return list(self._read()["ns"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BoardError(f"the probe of {self._name} ended with {self._process.wait()}")
        report: dict[str, Any] = json.loads(line)
        if not report["exact"]:
            raise BoardError(f"{self._name} differs from scalar")
        return report

    def __enter__(self) -> Paced:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def measure(probe: Path, call: Call, paths: list[str], rounds: int) -> list[dict[str, Any]]:
    """A row of figures for each path.

    Raises:
        BoardError: a probe died, or its result was not exact.
    """
    peers = onnxruntime_peers(call)
    times: dict[str, list[int]] = {name: [] for name in (*paths, *peers)}
    opened: dict[str, Paced] = {}
    try:
        for path in paths:
            opened[path] = Paced(probe, call, path)
        for round_ in range(rounds + 1):
            for name, contender in opened.items():
                times[name] += contender.turn() if round_ else contender.turn()[:0]
            for name, run in peers.items():
                times[name] += _turn(run) if round_ else _turn(run)[:0]
    finally:
        for contender in opened.values():
            contender.__exit__(None, None, None)
    return [
        {"path": path, **figures(opened[path].report["bmac"], times[path], {peer: times[peer] for peer in peers})}
        for path in paths
    ]


def _turn(run: Run) -> list[int]:
    times = []
    for _ in range(_CALLS_PER_TURN):
        begin = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - begin)
    return times


def figures(bmac: int, own: list[int], peers: dict[str, list[int]]) -> dict[str, Any]:
    """Ratios of minima (`speedup_…`) and of medians (`…_median`); of the int8 peers the faster one counts.

    `spread`: the interquartile range of the samples, relative to their median.
    """
    int8 = [times for name, times in peers.items() if name.startswith("int8")]
    result: dict[str, Any] = {
        "ns_min": min(own),
        "ns_median": statistics.median(own),
        "spread": spread(own),
        "gmac_per_s": bmac / min(own) if bmac else None,
        "ort_ns_min": {name: min(times) for name, times in peers.items()},
        "ort_ns_median": {name: statistics.median(times) for name, times in peers.items()},
        "ort_spread": {name: spread(times) for name, times in peers.items()},
    }
    for name, contenders in (("fp32", [peers["fp32"]] if "fp32" in peers else []), ("int8", int8)):
        key = f"speedup_vs_ort_{name}"
        result[key] = min(map(min, contenders)) / min(own) if contenders else None
        medians = [statistics.median(times) for times in contenders]
        result[f"{key}_median"] = min(medians) / statistics.median(own) if contenders else None
    return result


def spread(times: list[int]) -> float:
    """(third quartile - first) / median."""
    first, median, third = statistics.quantiles(times, n=4)
    return (third - first) / median
