"""Runs the agent on plans, with contenders that make their times up (talker.py)."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgebin.toolchain.agent import ARCHES, agent_program

Event = dict[str, Any]

# Short enough for tests; what a test is about, it sets itself.
QUICK = (
    "warmup-seconds 0",
    "min-runs 1",
    "min-seconds 0",
    "energy-windows 2",
    "energy-seconds 0.01",
    "energy-min-runs 1",
)
TALKER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("talker.py")))


def agent_command(core: str | None = None) -> list[str]:
    """The agent for this host, or for an ARM core in the emulator."""
    if core is not None:
        return ["qemu-aarch64", "-cpu", core, str(agent_program("aarch64"))]
    if platform.machine() not in ARCHES:
        pytest.skip(f"no agent for {platform.machine()}")
    return [str(agent_program(platform.machine()))]


def contender(name: str, *words: str, program: Sequence[str] = TALKER) -> list[str]:
    """Lines of a plan."""
    return [f"contender {name}", *(f"arg {word}" for word in (*program, *words))]


def plan_text(*lines: str | Sequence[str]) -> str:
    """A plan; each part is a line or several. Later lines win over those of QUICK."""
    parts = [[part] if isinstance(part, str) else part for part in lines]
    return "\n".join(["edgebin-plan 1", *QUICK, *(line for part in parts for line in part), ""])


def measure(
    folder: Path, *lines: str | Sequence[str], core: str | None = None
) -> tuple[subprocess.CompletedProcess[str], list[Event]]:
    """Runs a plan to its end."""
    (folder / "plan").write_text(plan_text(*lines))
    command = [*agent_command(core), "measure", *(str(folder / name) for name in ("plan", "events", "power"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    events = folder / "events"
    return done, read_events(events.read_bytes()) if events.exists() else []


def read_events(data: bytes) -> list[Event]:
    """Every line is whole, and each is an object."""
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def of_kind(events: Sequence[Event], kind: str) -> list[Event]:
    return [event for event in events if event["event"] == kind]


def is_gone(pid: int) -> bool:
    """Ended; perhaps nobody has asked for its exit code yet."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Fails when the condition does not come true in time, which is far longer than it should take."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this does not happen"
        time.sleep(0.01)
