"""The benchmark of the sampler: its sensors are sensors, and the committed figures keep the bar."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.kernels.report import read_report
from benchmarks.power.trees import TREES
from edgebin.targets.host import host_arch
from edgebin.toolchain.agent import ARCHES, agent_program

REPORT = read_report(Path(__file__).parents[2] / "benchmarks/results/power.json")
MOST_OF_A_CORE = 0.01  # at 100 Hz


@pytest.mark.parametrize("row", [row for row in REPORT["rows"] if row["hz"] == 100], ids=lambda row: row["source"])
def test_committed_overhead_is_within_the_bar(row: dict[str, float]) -> None:
    assert 0 < row["share_of_core"] <= MOST_OF_A_CORE


def test_every_sensor_was_measured_and_so_was_the_floor() -> None:
    assert {row["source"] for row in REPORT["rows"]} == {"nothing", *TREES}


@pytest.mark.parametrize(
    ("tree", "watts"),
    list(zip(TREES.values(), ([0.0], [2.134] * 3, [4.42976] * 3), strict=True)),
    ids=TREES,
)
def test_sensors_are_read(tree: Callable[[Path], str], watts: list[float], tmp_path: Path) -> None:
    if host_arch() not in ARCHES:
        pytest.skip(f"no agent for {host_arch()}")
    command = [agent_program(host_arch()), "sample", "0.1", "--power", tree(tmp_path), "--root", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *samples, cost = map(json.loads, done.stdout.splitlines())
    assert samples
    assert all(sample["w"] == watts for sample in samples)
    assert cost["cpu_ns"] > 0
