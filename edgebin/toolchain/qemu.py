"""The emulator: runs a board's programs on this host, exactly, but in no time that means anything.

Programs see the files of a sysroot first. Ours is the cross packages' C library, or a whole arm64 userland, plus
made-up `/proc/cpuinfo` and `/sys/devices/system/cpu` of the board: onnxruntime reads these and crashes on those of an
x86 host.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.targets import Target
from edgebin.toolchain.cache import cache_dir

_PROGRAM = "qemu-aarch64"
_DEFAULT_PREFIX = "/usr/aarch64-linux-gnu"
_NEEDED_LIBRARIES = {
    "ld-linux-aarch64.so.1": "libc6-arm64-cross",
    "libstdc++.so.6": "libstdc++6-arm64-cross",
    "libgcc_s.so.1": "libgcc-s1-arm64-cross",
}
_LAYOUT_VERSION = 2


def find_qemu() -> Path:
    """The emulator's program.

    Raises:
        ToolchainError: it is not installed.
    """
    path = shutil.which(_PROGRAM)
    if path is None:
        raise ToolchainError(f"`{_PROGRAM}` is not installed", hint="apt install qemu-user libstdc++6-arm64-cross")
    return Path(path)


def qemu_command(
    target: Target,
    program: Sequence[str | Path],
    *,
    plugin: str | None = None,
    environment: Mapping[str, str] | None = None,
    base: Path | None = None,
) -> list[str]:
    """The command line that runs an aarch64 program with the target's exact `-cpu`.

    `plugin` is the value of `-plugin`, such as `profile.so,out=counts.bin`. `environment` is added for the program.
    `base` is the root of an arm64 system whose libraries the program is to find instead of the cross packages'.

    Raises:
        ToolchainError: no emulator, or no C library for it; the target has no emulated processor.
    """
    if target.qemu is None:
        raise ToolchainError(
            f"the target {target.id} names no processor to emulate", hint="add [qemu] cpu = … to its file"
        )
    command = [str(find_qemu()), "-L", str(sysroot(target, base)), "-cpu", target.qemu.cpu]
    if plugin is not None:
        command += ["-plugin", plugin]
    for name, value in (environment or {}).items():
        command += ["-E", f"{name}={value}"]
    return [*command, *map(str, program)]


def sysroot(target: Target, base: Path | None = None) -> Path:
    """The folder for `qemu-aarch64 -L`, made on first use and kept in the cache: `base` with the target's processor.

    Without `base` it holds the C library of Debian's cross packages, or what `$QEMU_LD_PREFIX` names.

    Raises:
        ToolchainError: a library is missing.
    """
    base = _cross_prefix() if base is None else base
    name = hashlib.sha256(str(base.resolve()).encode()).hexdigest()[:8]
    parent = cache_dir("sysroot")
    root = parent / f"{_LAYOUT_VERSION}-{target.id}-{target.core.id}-{target.cores}-{name}"
    if (root / "lib").exists():
        return root
    with tempfile.TemporaryDirectory(dir=parent, prefix=".make-") as scratch:
        made = Path(scratch) / root.name
        made.mkdir()
        for folder in ("lib", "usr"):
            if (base / folder).exists():
                (made / folder).symlink_to((base / folder).resolve())
        _write_cpu_files(made, target)
        if root.exists():
            shutil.rmtree(root)
        try:
            made.rename(root)
        except OSError:  # another process was faster; the contents are the same
            if not (root / "lib").exists():
                raise
    return root


def _cross_prefix() -> Path:
    prefix = Path(os.environ.get("QEMU_LD_PREFIX", _DEFAULT_PREFIX))
    for library, package in _NEEDED_LIBRARIES.items():
        if not (prefix / "lib" / library).exists():
            raise ToolchainError(f"`{prefix / 'lib' / library}` is missing", hint=f"apt install {package}")
    return prefix


def _write_cpu_files(root: Path, target: Target) -> None:
    core, memory = target.core, target.memory
    all_cores = f"0-{target.cores - 1}" if target.cores > 1 else "0"
    cpuinfo = "".join(
        f"processor\t: {index}\nBogoMIPS\t: 100.00\nFeatures\t: {' '.join(target.features)}\n"
        f"CPU implementer\t: {core.implementer or 0:#04x}\nCPU architecture: 8\nCPU variant\t: 0x0\n"
        f"CPU part\t: {core.part or 0:#05x}\nCPU revision\t: 0\n\n"
        for index in range(target.cores)
    )
    _write(root / "proc" / "cpuinfo", cpuinfo)
    system = root / "sys" / "devices" / "system" / "cpu"
    for name in ("possible", "present", "online"):
        _write(system / name, all_cores)
    _write(system / "kernel_max", str(target.cores - 1))
    caches = (
        ("Data", 1, memory.l1d_bytes, False),
        ("Instruction", 1, memory.l1i_bytes, False),
        ("Unified", 2, memory.l2_bytes, True),
        ("Unified", 3, memory.l3_bytes, True),
    )
    for index in range(target.cores):
        cpu = system / f"cpu{index}"
        for name, value in {
            "topology/core_id": str(index),
            "topology/physical_package_id": "0",
            "topology/core_siblings_list": all_cores,
            "topology/package_cpus_list": all_cores,
            "topology/cluster_cpus_list": all_cores,
            "topology/thread_siblings_list": str(index),
            "topology/core_cpus_list": str(index),
            "cpufreq/cpuinfo_max_freq": str(target.freq_hz // 1000),
            "cpufreq/cpuinfo_min_freq": str(target.freq_hz // 1000),
            "cpufreq/scaling_cur_freq": str(target.freq_hz // 1000),
        }.items():
            _write(cpu / name, value)
        for number, (kind, level, bytes_, shared) in enumerate(cache for cache in caches if cache[2]):
            folder = cpu / "cache" / f"index{number}"
            _write(folder / "type", kind)
            _write(folder / "level", str(level))
            _write(folder / "size", f"{(bytes_ or 0) // 1024}K")
            _write(folder / "coherency_line_size", "64")
            _write(folder / "shared_cpu_list", all_cores if shared else str(index))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if text.endswith("\n") else text + "\n")
