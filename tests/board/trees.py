"""Whole synthetic boards: the small files by which the agent knows a machine. Sensors of power are power_boards'."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.board import power_boards
from tests.board.power_boards import text

A53_FEATURES = "fp asimd evtstrm crc32 cpuid"
A57_FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32"
CARMEL_FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp"
A76_FEATURES = f"{CARMEL_FEATURES} cpuid asimdrdm lrcpc dcpop asimddp"
A78AE_FEATURES = f"{A76_FEATURES} uscat ilrcpc flagm paca pacg"
_ELF_MACHINES = {"aarch64": 183, "x86_64": 62}


@dataclass(frozen=True)
class Tree:
    """A board's root; `target` is what it is, `mailbox` the folder with its firmware's answers (agents.py)."""

    root: Path
    target: str
    mailbox: Path | None = None

    @property
    def policies(self) -> list[Path]:
        """The files that hold the governors."""
        return sorted(self.root.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_governor"))


def processors(
    root: Path,
    cores: Sequence[tuple[int, int]],
    features: str,
    *,
    clusters: Sequence[Sequence[int]],
    max_khz: int,
    governor: str = "ondemand",
) -> None:
    """`cores`: implementer and part of each; `clusters`: which of them share a clock."""
    paragraphs = [
        f"processor\t: {number}\nBogoMIPS\t: 38.40\nFeatures\t: {features}\nCPU implementer\t: {implementer:#x}\n"
        f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {part:#05x}\nCPU revision\t: 4\n"
        for number, (implementer, part) in enumerate(cores)
    ]
    text(root / "proc/cpuinfo", "\n".join(paragraphs))
    system = root / "sys/devices/system/cpu"
    for cluster in clusters:
        policy = system / f"cpufreq/policy{cluster[0]}"
        text(policy / "scaling_governor", governor)
        text(policy / "scaling_available_governors", "conservative ondemand userspace powersave performance schedutil ")
        text(policy / "cpuinfo_max_freq", str(max_khz))
        text(policy / "scaling_cur_freq", str(max_khz // 2))
        for cpu in cluster:
            (system / f"cpu{cpu}").mkdir(parents=True)
            (system / f"cpu{cpu}/cpufreq").symlink_to(f"../cpufreq/policy{cluster[0]}")


def system(root: Path, name: str, kernel: str, *, memory_mb: int, free_mb: int, load: float = 0.07) -> None:
    text(root / "etc/os-release", f'NAME="Linux"\nPRETTY_NAME="{name}"')
    text(root / "etc/passwd", f"root:x:0:0:root:/root:/bin/bash\nboard:x:{os.geteuid()}:{os.getegid()}::/home:/bin/sh")
    text(root / "etc/group", f"root:x:0:\nown:x:{os.getegid()}:\nvideo:x:4444:nobody")
    text(root / "proc/sys/kernel/osrelease", kernel)
    text(
        root / "proc/meminfo",
        f"MemTotal: {memory_mb * 1024:>12} kB\nMemFree: 1000 kB\nMemAvailable: {free_mb * 1024} kB",
    )
    text(root / "proc/loadavg", f"{load:.2f} 0.30 0.20 1/123 4567")


def userland(root: Path, arch: str, glibc: str | None, *, bits: int = 64, banner: bool = True) -> None:
    """A loader and a C library, as far as the agent looks into it: an ELF header, and words among other bytes."""
    loader = {("aarch64", 64): "lib/ld-linux-aarch64.so.1", ("x86_64", 64): "lib64/ld-linux-x86-64.so.2"}
    text(root / loader.get((arch, bits), "lib/ld-linux-armhf.so.3"), "")
    if glibc is None:
        return
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HH", 3, _ELF_MACHINES[arch]) + b"\0" * 44
    words = b"\0GLIBC_2.17\0GLIBC_2.%d\0GLIBC_PRIVATE\0" % (int(glibc.split(".")[1]) - (1 if banner else 0))
    if banner:
        words += b"GNU C Library (Debian GLIBC %s-9) stable release version %s.\n\0" % (glibc.encode(), glibc.encode())
    folder = root / f"lib/{arch}-linux-gnu"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libc.so.6").write_bytes(header + b"\0" * 4096 + words + b"\0" * 100)


def model(root: Path, name: str) -> None:
    folder = root / "proc/device-tree"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model").write_bytes(name.encode() + b"\0")


def zone(root: Path, number: int, name: str, millicelsius: int) -> None:
    text(root / f"sys/class/thermal/thermal_zone{number}/type", name)
    text(root / f"sys/class/thermal/thermal_zone{number}/temp", str(millicelsius))


def firmware(root: Path, throttled: int) -> Path:
    """A Pi's mailbox; gives the folder that stands in for the firmware."""
    mailbox = root / "mailbox"
    mailbox.mkdir(parents=True, exist_ok=True)
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev/vcio").touch()
    (mailbox / "get_throttled").write_bytes(b"throttled=%#x\n" % throttled)
    (mailbox / "version").write_bytes(
        b"Mar 17 2023 10:50:39 \nCopyright (c) 2012 Broadcom\nversion 82f0f5e64ad5 (clean) (release) (start)\n"
    )
    return mailbox


def nvpmodel(root: Path, mode: int, names: Sequence[str]) -> None:
    text(root / "var/lib/nvpmodel/status", f"pmode:{mode:04d}")
    rows = [f"< POWER_MODEL ID={number} NAME={name} >\nCPU_ONLINE CORE_0 1" for number, name in enumerate(names)]
    text(root / "etc/nvpmodel.conf", "\n".join(["# comment", *rows, "< PM_CONFIG DEFAULT=0 >"]))


def release(root: Path, major: int, revision: str) -> None:
    text(
        root / "etc/nv_tegra_release",
        f"# R{major} (release), REVISION: {revision}, GCID: 1, BOARD: t210ref, EABI: aarch64",
    )


def pi3b_plus(root: Path) -> Tree:
    """Hot, held back now and before; nobody may use the mailbox, so what the kernel has noted has to do."""
    model(root, "Raspberry Pi 3 Model B Plus Rev 1.3")
    processors(root, [(0x41, 0xD03)] * 4, A53_FEATURES, clusters=[range(4)], max_khz=1_400_000)
    system(root, "Debian GNU/Linux 12 (bookworm)", "6.1.21-v8+", memory_mb=905, free_mb=640)
    userland(root, "aarch64", "2.36")
    zone(root, 0, "cpu-thermal", 61_224)
    text(root / "sys/devices/platform/soc/soc:firmware/get_throttled", "80008")
    return Tree(root, "rpi3b-plus")


def zero2w(root: Path) -> Tree:
    """A 64-bit kernel under 32-bit programs."""
    model(root, "Raspberry Pi Zero 2 W Rev 1.0")
    processors(root, [(0x41, 0xD03)] * 4, A53_FEATURES, clusters=[range(4)], max_khz=1_000_000)
    system(root, "Raspbian GNU/Linux 12 (bookworm)", "6.6.31+rpt-rpi-v8", memory_mb=416, free_mb=250)
    userland(root, "aarch64", None, bits=32)
    zone(root, 0, "cpu-thermal", 45_084)
    return Tree(root, "rpi-zero2w", firmware(root, 0))


def pi4(root: Path) -> Tree:
    """Something else is running; an INA219 in its 5 V line."""
    power_boards.rpi4_ina219(root)
    model(root, "Raspberry Pi 4 Model B Rev 1.5")
    processors(root, [(0x41, 0xD08)] * 4, A53_FEATURES, clusters=[range(4)], max_khz=1_800_000)
    system(root, "Debian GNU/Linux 12 (bookworm)", "6.6.31+rpt-rpi-v8", memory_mb=3794, free_mb=3200, load=2.4)
    userland(root, "aarch64", "2.36")
    zone(root, 0, "cpu-thermal", 51_200)
    return Tree(root, "rpi4b", firmware(root, 0))


def pi5(root: Path) -> Tree:
    """Under-voltage some time since it was switched on, not now."""
    power_boards.rpi5(root)
    model(root, "Raspberry Pi 5 Model B Rev 1.0")
    processors(root, [(0x41, 0xD0B)] * 4, A76_FEATURES, clusters=[range(4)], max_khz=2_400_000)
    system(root, "Debian GNU/Linux 12 (bookworm)", "6.6.31+rpt-rpi-2712", memory_mb=8053, free_mb=7100)
    userland(root, "aarch64", "2.36", banner=False)
    zone(root, 0, "cpu-thermal", 49_050)
    return Tree(root, "rpi5", firmware(root, 0x10000))


def nano(root: Path) -> Tree:
    """In the mode of 5 W two of four cores are switched off."""
    power_boards.nano(root)
    model(root, "NVIDIA Jetson Nano Developer Kit")
    processors(root, [(0x41, 0xD07)] * 2, A57_FEATURES, clusters=[range(4)], max_khz=1_479_000, governor="schedutil")
    system(root, "Ubuntu 18.04.6 LTS", "4.9.337-tegra", memory_mb=3964, free_mb=2900)
    userland(root, "aarch64", "2.27")
    zone(root, 0, "AO-therm", 40_500)
    zone(root, 1, "CPU-therm", 31_500)
    nvpmodel(root, 1, ["MAXN", "5W"])
    release(root, 32, "7.6")
    return Tree(root, "jetson-nano")


def xavier_nx(root: Path) -> Tree:
    """Three clusters of two."""
    power_boards.xavier_nx(root)
    model(root, "NVIDIA Jetson Xavier NX Developer Kit")
    clusters = [(0, 1), (2, 3), (4, 5)]
    processors(root, [(0x4E, 0x004)] * 6, CARMEL_FEATURES, clusters=clusters, max_khz=1_907_200, governor="schedutil")
    system(root, "Ubuntu 20.04.6 LTS", "5.10.192-tegra", memory_mb=6854, free_mb=5800)
    userland(root, "aarch64", "2.31")
    zone(root, 0, "CPU-therm", 38_000)
    zone(root, 1, "AUX-therm", -256_000)
    text(root / "var/lib/nvpmodel/status", "pmode:0002 fmode:quiet")
    release(root, 35, "5.0")
    return Tree(root, "jetson-xavier-nx")


def orin_nano(root: Path) -> Tree:
    """Has throttled itself for over-current."""
    power_boards.orin_nano(root)
    model(root, "NVIDIA Jetson Orin Nano Developer Kit")
    clusters = [(0, 1, 2, 3), (4, 5)]
    processors(root, [(0x41, 0xD42)] * 6, A78AE_FEATURES, clusters=clusters, max_khz=1_510_400, governor="performance")
    system(root, "Ubuntu 22.04.4 LTS", "5.15.136-tegra", memory_mb=7620, free_mb=6400)
    userland(root, "aarch64", "2.35")
    zone(root, 0, "cpu-thermal", 47_218)
    for number, count in enumerate((0, 12, 3), 1):
        text(root / f"sys/class/hwmon/hwmon4/oc{number}_event_cnt", str(count))
    text(root / "sys/class/hwmon/hwmon4/name", "soctherm_oc")
    nvpmodel(root, 0, ["15W", "7W"])
    release(root, 36, "3.0")
    return Tree(root, "jetson-orin-nano")


def x86_vm(root: Path) -> Tree:
    """No clocks, no sensors, no heat."""
    flags = "fpu sse4_2 popcnt avx avx2 fma f16c bmi1 bmi2 abm"
    cores = [
        f"processor\t: {i}\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7763 64-Core Processor\nflags : {flags}"
        for i in range(2)
    ]
    text(root / "proc/cpuinfo", "\n\n".join(cores))
    system(root, "Debian GNU/Linux 12 (bookworm)", "6.1.0-21-amd64", memory_mb=7900, free_mb=7000)
    userland(root, "x86_64", "2.36")
    return Tree(root, "x86-64")


TREES: dict[str, Callable[[Path], Tree]] = {
    "pi3b-plus": pi3b_plus,
    "zero2w-32-bit": zero2w,
    "pi4-ina219": pi4,
    "pi5": pi5,
    "nano-jp4": nano,
    "xavier-nx-jp5": xavier_nx,
    "orin-nano-jp6": orin_nano,
    "x86-vm": x86_vm,
}
