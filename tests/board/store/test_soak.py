"""Deploy, run, start a job, follow it, fetch: over and over, on connections that break at random moments.

Nothing may be lost: each cycle's results arrive once, and are that cycle's own. Nothing may be left behind: no process,
file descriptor or temporary folder here, no file and no process on the board.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from edgebin.board import RemoteMachine, run_bundle
from edgebin.board.job import Job, new_job_id
from edgebin.board.store.agent import place_agent
from edgebin.board.store.deploy import deploy_bundle
from edgebin.board.transports.ssh import SshTransport
from edgebin.bundle import Bundle
from edgebin.errors import ConnectionLost
from edgebin.targets.host import host_arch
from tests.board.sshd import Sshd, children, program_of
from tests.toolchain.tiny_module import tiny_inputs, tiny_outputs

Bundles = Callable[[str], Bundle]
Result = TypeVar("Result")
pytestmark = pytest.mark.skipif(host_arch() != "x86_64", reason="takes this host for the board, an x86-64 one")

_SEED = 6
_ROWS = 3
_PLAN = """edgebin-plan 1
warmup-seconds 0
min-runs 1
min-seconds 0
idle-seconds 0
command says
arg echo
arg cycle {}
"""


@dataclass
class Saboteur:
    """Breaks the connection at any moment of a cycle, which takes about `cycle_s` on this machine now."""

    board: Sshd
    dice: random.Random
    cycle_s: float = 0.3

    def strike(self) -> threading.Timer:
        ends: list[Callable[[], None]] = [self.board.cut, self._kill_master]
        timer = threading.Timer(self.dice.uniform(0, self.cycle_s), self.dice.choice(ends))
        timer.start()
        return timer

    def _kill_master(self) -> None:
        for pid in ssh_processes():
            try:
                if "ControlMaster=yes" in Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(pid, 9)
            except OSError:
                continue


def ssh_processes() -> list[int]:
    return [pid for pid in children(os.getpid()) if program_of(pid) == "ssh"]


def on_board(board: Sshd) -> dict[str, int]:
    """Each file there with its number of links."""
    return {str(path.relative_to(board.home)): path.stat().st_nlink for path in board.home.rglob("*") if path.is_file()}


def programs_there(board: Sshd) -> list[str]:
    """Command lines of processes that run in, or from, the board's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (
                os.readlink(entry / "cwd").startswith(str(board.home))
                or os.readlink(entry / "exe").startswith(str(board.home))
            ):
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return found


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """What ends by itself may take a moment on a busy machine; a minute is no moment."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail(what)


def soak(board: Sshd, bundle: Bundle, folder: Path, cycles: int, failures: float) -> dict[str, float]:
    """Goes through the cycles and gives what it took."""
    dice = random.Random(_SEED)
    saboteur = Saboteur(board, dice)
    transport = SshTransport(board.host)
    lost: Counter[str] = Counter()
    fetched: dict[int, float] = {}
    copied, after_first = 0, {}
    begin, slowest = time.monotonic(), 0.0
    files = len(os.listdir("/proc/self/fd"))

    def patiently(step: str, action: Callable[[], Result]) -> Result:
        while True:
            try:
                return action()
            except ConnectionLost:
                lost[step] += 1

    agent = place_agent(transport)
    copied += (board.board_folder / agent.name).stat().st_size
    for cycle in range(cycles):
        cycle_begin = time.monotonic()
        inputs = tiny_inputs(_ROWS, seed=1000 + cycle)
        timer = saboteur.strike() if cycle and dice.random() < failures else None

        copied += patiently("deploy", lambda: deploy_bundle(transport, bundle)).copied_bytes
        outputs = patiently("run", lambda: run_bundle(bundle, inputs, machine=RemoteMachine(transport)))  # noqa: B023
        job = Job(transport, agent, new_job_id())
        patiently("start", lambda: job.start(_PLAN.format(cycle)))  # noqa: B023
        events = [json.loads(line) for line in job.follow(folder / job.id_, lost=lambda _: lost.update(["follow"]))]
        patiently("fetch", lambda: transport.get(job.folder / "events", folder / "events"))  # noqa: B023
        job.remove()
        if timer is not None:
            timer.join()

        for name, expected in tiny_outputs(inputs).items():
            np.testing.assert_allclose(outputs[name], expected, atol=1e-5)
        fetched[cycle] = float(outputs["doubled"].sum())
        assert [event["event"] for event in events] == ["begin", "output", "end"]
        assert events[1]["stdout"] == f"cycle {cycle}\n"
        assert (folder / "events").read_bytes() == (folder / job.id_).read_bytes()
        cycle_s = time.monotonic() - cycle_begin
        slowest = max(slowest, cycle_s)
        if timer is None and cycle:
            saboteur.cycle_s = cycle_s
        if cycle == 0:
            after_first = on_board(board)
            assert copied == sum(p.stat().st_size for p in (board.board_folder / "objects").iterdir())
    transport.close()
    duration = time.monotonic() - begin

    assert len(fetched) == cycles
    assert len(set(fetched.values())) > cycles * 0.9  # each of its own inputs
    assert copied == sum(p.stat().st_size for p in (board.board_folder / "objects").iterdir())
    wait_until(lambda: on_board(board) == after_first, "files are left on the board")
    wait_until(lambda: not programs_there(board), "programs still run on the board")
    wait_until(lambda: not board.connections(), "connections are left")
    assert ssh_processes() == []
    assert len(os.listdir("/proc/self/fd")) == files
    assert os.listdir(tempfile.gettempdir()) == []
    return {
        "cycles": cycles,
        "seconds": round(duration, 1),
        "slowest_s": round(slowest, 2),
        "lost": lost.total(),
        **lost,
    }


@pytest.mark.usefixtures("short_tmp")
def test_fifteen_cycles(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    figures = soak(board, tiny_bundle("x86-64"), tmp_path, cycles=15, failures=0.3)
    assert figures["lost"] > 0  # the dice are seeded, but not the machine's pace


@pytest.mark.slow
@pytest.mark.usefixtures("short_tmp")
def test_a_thousand_cycles(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    figures = soak(board, tiny_bundle("x86-64"), tmp_path, cycles=1000, failures=0.05)
    print(json.dumps(figures))
    assert figures["lost"] >= 20
    assert figures.keys() >= {"deploy", "run", "follow"}  # none is so short that it is never hit
