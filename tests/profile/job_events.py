"""Events of a made-up job, as the agent writes them, with times that are known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BOARD: dict[str, Any] = {
    **dict.fromkeys(("os", "memory_total_bytes", "memory_available_bytes", "disk_free_bytes", "throttled")),
    **dict.fromkeys(("nvpmodel", "firmware", "glibc")),
    **{name: [] for name in ("temperatures", "over_current", "groups", "left_tuning", "power_sources", "features")},
    **{"model": "A board", "machine": "aarch64", "kernel": "6.6", "userland_bits": 64, "hwcap": 0, "hwcap2": 0},
    **{"page_bytes": 4096, "load_1min": 0.0, "busy_processors": 0.0, "user": "pi"},
    "cpus": [
        {"cpu": n, "implementer": None, "part": None, "max_hz": None, "current_hz": None, "governor": None}
        for n in range(4)
    ],
    "tuning": {"governor_writable": False, "sudo": False, "nvpmodel": False, "jetson_clocks": False},
}


class Job:
    """Writes events; one second of the clock passes with each."""

    def __init__(self, board: dict[str, Any] | None = None) -> None:
        self.board = board or BOARD
        self.events: list[dict[str, Any]] = []
        self.add("begin", agent=1, monotonic_ns=0, realtime_ns=0, board=self.board)

    def add(self, event: str, **values: Any) -> None:
        self.events.append({"event": event, **values})

    def session(self, number: int, threads: int, contenders: Sequence[str], rounds: dict[int, list[list[int]]]) -> None:
        """All of one session: `rounds` gives the times in ms of each contender that is timed."""
        self.add("session", session=number, threads=threads, cores=[3])
        for index, name in enumerate(contenders):
            self.add("started", session=number, contender=index, name=name, load_ns=5_000_000, hello={})
            self.add("first", session=number, contender=index, samples_ns=[9_000_000])
        self.add("chosen", session=number, contenders=list(rounds))
        for index in rounds:
            self.add("warmup", session=number, contender=index, samples_ns=[2_000_000_000], settled=True)
        for turn in range(len(next(iter(rounds.values())))):
            for index, blocks in rounds.items():
                samples = [ms * 1_000_000 for ms in blocks[turn]]
                common = {"session": number, "round": turn, "contender": index}
                self.add("round", **common, begin_ns=0, end_ns=1, samples_ns=samples)
        for index in rounds:
            self.add("memory", session=number, contender=index, peak_rss_bytes=1000)

    def end(self) -> None:
        sampler = {"samples": 0, "cpu_ns": 0, "late": 0, "wall_ns": 0}
        self.add("end", monotonic_ns=9, realtime_ns=9, board=self.board, sampler=sampler)

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps(event) + "\n" for event in self.events))
        return path
