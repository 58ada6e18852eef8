"""The machine before and after as rows of a table. What a board says is untrusted: any shape is shown, none fails."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgebin.profile.record import Environment, RunRecord
from edgebin.report.cells import NOTHING, bytes_cell
from edgebin.report.text import shortened

# Bits of the firmware of a Raspberry Pi. Source: raspberrypi/documentation, `vcgencmd get_throttled`.
_THROTTLED = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
_SINCE_START = 16


@dataclass(frozen=True)
class Row:
    """`changed`: the two differ."""

    name: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether it was not the same after the run."""
        return self.before != self.after


def environment_rows(environment: Environment) -> tuple[Row, ...]:
    """What the agent saw, in the order of docs/board.md; what neither saw is left out."""
    rows = [
        Row(name, _safely(show, environment.before, key), _safely(show, environment.after, key))
        for name, key, show in _FIELDS
    ]
    return tuple(row for row in rows if (row.before, row.after) != (NOTHING, NOTHING))


def command(record: RunRecord) -> str:
    """The command that profiles in the same way again."""
    protocol = record.protocol
    ours = {bundle.variant for bundle in record.bundles}
    baselines = list(dict.fromkeys(v.name for v in record.variants if v.name not in ours)) or ["none"]
    words = ["edgebin", "profile", *(bundle.name for bundle in record.bundles), "--baseline", ",".join(baselines)]
    if record.kind == "measured":
        words += ["--threads", ",".join(map(str, protocol.threads))]
        words += ["--min-runs", str(protocol.min_runs), "--min-seconds", f"{protocol.min_seconds:g}"]
        words += ["--no-pin"] if all(variant.cpus is None for variant in record.variants) else []
    words += ["--energy", record.power.source] if record.power else []
    words += ["--tune"] if record.environment and record.environment.tuning else []
    words += ["--host", record.device.host] if record.device.host else []
    return shlex.join(words)


def _safely(show: Callable[[Any], str], board: Mapping[str, Any], key: str) -> str:
    value = board.get(key)
    if value is None or value == [] or value == "":
        return NOTHING
    try:
        return show(value) or NOTHING
    except (AttributeError, KeyError, LookupError, OverflowError, TypeError, ValueError):
        return str(value)


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _gigabytes(value: Any) -> str:
    return bytes_cell(int(value)) if value < 1e9 else f"{value / 1e9:.1f} GB"


def _processors(value: Any) -> str:
    kinds = Counter(
        (f"part 0x{cpu['part']:x}" if cpu.get("part") else "processor")
        + (f", up to {cpu['max_hz'] / 1e9:.2f} GHz" if cpu.get("max_hz") else "")
        for cpu in value
    )
    return "; ".join(f"{count} × {kind}" for kind, count in kinds.items())


def _clocks(value: Any) -> str:
    return _per_processor([f"{cpu['current_hz'] / 1e9:.2f} GHz" for cpu in value if cpu.get("current_hz")])


def _governors(value: Any) -> str:
    return _per_processor([str(cpu["governor"]) for cpu in value if cpu.get("governor")])


def _per_processor(values: list[str]) -> str:
    return values[0] if len(set(values)) == 1 else ", ".join(values)


def _temperatures(value: Any) -> str:
    return ", ".join(f"{item['name']} {item['celsius']:.1f} °C" for item in value)


def _over_current(value: Any) -> str:
    return ", ".join(f"{item['name']} {item['count']}" for item in value)


def _throttled(value: Any) -> str:
    bits = int(value["bits"])
    now = [name for bit, name in _THROTTLED.items() if bits >> bit & 1]
    since = [name for bit, name in _THROTTLED.items() if bits >> (bit + _SINCE_START) & 1]
    told = [", ".join(now)] if now else []
    told += [f"since start: {', '.join(since)}"] if since else []
    return f"{'; '.join(told) or 'no'} (0x{bits:x})"


_FIELDS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("Model", "model", _words),
    ("System", "os", _words),
    ("Kernel", "kernel", _words),
    ("Machine", "machine", _words),
    ("Userland", "userland_bits", lambda bits: f"{bits} bits"),
    ("glibc", "glibc", _words),
    ("Features", "features", lambda names: shortened(_words(names), 160)),
    ("Processors", "cpus", _processors),
    ("Clocks", "cpus", _clocks),
    ("Governor", "cpus", _governors),
    ("Temperature", "temperatures", _temperatures),
    ("Throttled", "throttled", _throttled),
    ("Over-current events", "over_current", _over_current),
    ("Processors busy with other work", "busy_processors", lambda busy: f"{busy:.1f}"),
    ("Load, 1 min", "load_1min", lambda load: f"{load:.2f}"),
    ("Memory", "memory_total_bytes", _gigabytes),
    ("Memory available", "memory_available_bytes", _gigabytes),
    ("Disk free", "disk_free_bytes", _gigabytes),
    ("Page size", "page_bytes", lambda size: f"{size // 1024} KiB"),
    ("Power mode", "nvpmodel", lambda mode: f"{mode['mode']} ({mode['name']})"),
    ("Firmware", "firmware", _words),
)
