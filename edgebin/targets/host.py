"""What the running machine is: the values behind `"host"` in a target file, and what a bundle is held against."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from edgebin.errors import InputError

# /proc/cpuinfo flag → the same feature's name in LLVM (+name), gcc and zig (-mname): all that TVM or a kernel may use.
_X86_FEATURES = {
    "sse4_2": "sse4.2",
    "popcnt": "popcnt",
    "avx": "avx",
    "avx2": "avx2",
    "fma": "fma",
    "f16c": "f16c",
    "bmi1": "bmi",
    "bmi2": "bmi2",
    "abm": "lzcnt",
    "avx512f": "avx512f",
    "avx512bw": "avx512bw",
    "avx512cd": "avx512cd",
    "avx512dq": "avx512dq",
    "avx512vl": "avx512vl",
    "avx512vbmi": "avx512vbmi",
    "avx512_bitalg": "avx512bitalg",
    "avx512_vpopcntdq": "avx512vpopcntdq",
}
_CPUINFO = Path("/proc/cpuinfo")


def host_arch() -> str:
    """`aarch64`, `x86_64`, or what else the kernel calls this machine."""
    return platform.machine()


def host_glibc() -> tuple[int, int] | None:
    """The running C library's version, None where it is not glibc."""
    library, version = platform.libc_ver()
    if library != "glibc":
        return None
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def host_features(cpuinfo: Path = _CPUINFO) -> frozenset[str]:
    """The names on the `flags` (x86) or `Features` (Arm) line, of all cores in common; empty where there is none."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return frozenset()
    per_core = [
        frozenset(value.split())
        for key, _, value in (line.partition(":") for line in lines)
        if key.strip() in ("flags", "Features")
    ]
    return frozenset.intersection(*per_core) if per_core else frozenset()


def resolve_host(data: dict[str, object], cpuinfo: Path = _CPUINFO) -> dict[str, object]:
    """Replaces each value `"host"` of a target file by what the running processor says.

    Raises:
        InputError: the file asks for the host's features, but is for another architecture than this host.
    """
    found = host_features(cpuinfo)
    features = [name for name in _X86_FEATURES if name in found]
    answers: dict[str, object] = {
        "features": features,
        "cores": len(os.sched_getaffinity(0)),
        "freq_hz": _freq_hz(cpuinfo),
        "llvm.mattr": [f"+{_X86_FEATURES[name]}" for name in features],
        "zig.flags": [f"-m{_X86_FEATURES[name]}" for name in features],
        "gcc.flags": [f"-m{_X86_FEATURES[name]}" for name in features],
    }
    asks = False

    def resolve(table: dict[str, object], prefix: str) -> dict[str, object]:
        nonlocal asks
        resolved: dict[str, object] = {}
        for key, value in table.items():
            path = prefix + key
            if isinstance(value, dict) and not prefix:
                value = resolve(value, path + ".")
            elif value == "host" and path in answers:
                asks, value = True, answers[path]
            resolved[key] = value
        return resolved

    result = resolve(data, "")
    if asks and (host_arch() != "x86_64" or data.get("arch") != "x86_64"):
        raise InputError(
            f"`host` values can be read for x86_64 on x86_64 only, this machine is {host_arch()}",
            hint="write the values into the target file",
        )
    return result


def _freq_hz(cpuinfo: Path) -> int:
    """The highest clock the kernel admits to; in virtual machines without cpufreq, the clock in /proc/cpuinfo."""
    try:
        return int(Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").read_text()) * 1000
    except (OSError, ValueError):
        pass
    for line in cpuinfo.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "cpu MHz":
            return int(float(value) * 1e6)
    raise InputError("cannot find out this processor's clock", hint="write `freq_hz` into the target file")
