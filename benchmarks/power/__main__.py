"""`python -m benchmarks.power --json FILE`: what sampling power takes of one core of this machine.

The agent samples made-up sensors on a file system in memory: no bus, no driver, so what is left is the sampler itself.
Its thread's processor time is the kernel's own count, over the time that passed; the highest of several goes counts.
The floor is a loop that only wakes at the same rate (`sleeping.c`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.kernels.report import write_report
from benchmarks.power.trees import TREES
from edgebin.errors import EdgebinError
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain.agent import agent_program
from edgebin.toolchain.compiler import find_compiler

RATES_HZ = (10.0, 100.0, 1000.0)
METHODS = {
    "share_of_core": "Processor time of the sampling thread (CLOCK_THREAD_CPUTIME_ID) over the time that passed, "
    "the highest of all goes.",
    "us_per_sample": "The same processor time for one sample, the least and the highest of all goes.",
    "late": "Samples taken more than half a period after their time, of all goes: how busy the machine was otherwise.",
    "nothing": "The floor: a loop that wakes at the same rate and reads nothing.",
}
_MEMORY = Path("/dev/shm")


def main() -> None:
    """Measures, prints a table to stderr, and writes the rows."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.power", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each go takes")
    parser.add_argument("--goes", type=int, default=5)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the rows go")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    try:
        with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
            commands = _commands(Path(folder))
            rows = [
                _row(name, hz, [_cost(command(options.seconds, hz)) for _ in range(options.goes)])
                for name, command in commands.items()
                for hz in RATES_HZ
            ]
    except EdgebinError as error:
        sys.exit(f"error: {error}")
    setting = {"machine": _processor(), "load_1min": load, "seconds": options.seconds, "goes": options.goes}
    write_report({"rows": rows, **setting, "methods": METHODS}, options.json)


Command = Callable[[float, float], list[str]]


def _commands(folder: Path) -> dict[str, Command]:
    """What to run for so many seconds at so many samples a second, by what is sampled."""
    floor, agent = folder / "sleeping", agent_program(host_arch())
    find_compiler(load_target("x86-64")).compile([Path(__file__).with_name("sleeping.c")], floor, ["-O2"])
    commands: dict[str, Command] = {"nothing": lambda seconds, hz: [str(floor), str(seconds), str(hz)]}
    for name, tree in TREES.items():
        root = folder / str(len(commands))
        source = tree(root)

        def sample(seconds: float, hz: float, *, source: str = source, root: Path = root) -> list[str]:
            rate = ["--power-hz", str(hz)]
            return [str(agent), "sample", str(seconds), "--power", source, *rate, "--root", str(root)]

        commands[name] = sample
    return commands


def _row(name: str, hz: float, costs: list[dict[str, int]]) -> dict[str, Any]:
    """One sensor at one rate."""
    share = max(cost["cpu_ns"] / cost["wall_ns"] for cost in costs)
    per_sample = [cost["cpu_ns"] / cost["samples"] / 1e3 for cost in costs]
    print(
        f"{name:<28} {hz:>5.0f} Hz  {share:.3%} of a core, {min(per_sample):.1f} to {max(per_sample):.1f} us a sample",
        file=sys.stderr,
    )
    return {
        "source": name,
        "hz": hz,
        "share_of_core": share,
        "us_per_sample": [min(per_sample), max(per_sample)],
        "samples": sum(cost["samples"] for cost in costs),
        "late": sum(cost["late"] for cost in costs),
    }


def _cost(command: list[str]) -> dict[str, int]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cost: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return cost


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), host_arch())


if __name__ == "__main__":
    main()
