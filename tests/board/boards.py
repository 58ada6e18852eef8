"""Answers of agents, made up: a Raspberry Pi 4 at rest, to be changed by keyword."""

from __future__ import annotations

from typing import Any

from edgebin.board.state.inspect import Board, parse_board

PI4: dict[str, Any] = {
    "model": "Raspberry Pi 4 Model B Rev 1.5",
    "machine": "aarch64",
    "kernel": "6.6.31",
    "os": "Debian GNU/Linux 12 (bookworm)",
    "userland_bits": 64,
    "glibc": "2.36",
    "hwcap": 0,
    "hwcap2": 0,
    "features": ["fp", "asimd", "evtstrm", "crc32", "cpuid"],
    "cpus": [
        {
            "cpu": cpu,
            "implementer": 0x41,
            "part": 0xD08,
            "max_hz": 1_800_000_000,
            "current_hz": 600_000_000,
            "governor": "performance",
        }
        for cpu in range(4)
    ],
    "page_bytes": 4096,
    "memory_total_bytes": 4_000_000_000,
    "memory_available_bytes": 3_500_000_000,
    "disk_free_bytes": 10_000_000_000,
    "load_1min": 0.1,
    "busy_processors": 0.0,
    "temperatures": [{"name": "cpu-thermal", "celsius": 51.2}],
    "throttled": {"source": "firmware", "bits": 0},
    "over_current": [],
    "nvpmodel": None,
    "firmware": None,
    "user": "pi",
    "groups": ["video"],
    "tuning": {"governor_writable": False, "sudo": True, "nvpmodel": False, "jetson_clocks": False},
    "left_tuning": [],
    "power_sources": [],
}


def board(**changes: Any) -> Board:
    """The board with some of its answers replaced."""
    return parse_board(PI4 | changes)


def cores(part: int, implementer: int = 0x41, governor: str = "performance") -> list[dict[str, Any]]:
    """Four other cores."""
    return [cpu | {"part": part, "implementer": implementer, "governor": governor} for cpu in PI4["cpus"]]
