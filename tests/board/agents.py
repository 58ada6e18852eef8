"""The agent as it is shipped, but for a firmware to talk to: the mailbox of a Pi is a folder (`fake_mailbox.c`)."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgebin.resources import resource_dir
from edgebin.targets import Target
from edgebin.targets.host import host_arch
from edgebin.toolchain.cache import cache_dir
from edgebin.toolchain.qemu import qemu_command


@functools.cache
def _program(arch: str, output: Path) -> Path:
    pytest.importorskip("ziglang")
    kernels = resource_dir("kernels")
    sources = [
        *sorted((kernels / "agent").rglob("*.c")),
        *(kernels / "runtime" / f"{name}.c" for name in ("fail", "json", "machine")),
        Path(__file__).with_name("fake_mailbox.c"),
    ]
    zig_cache = str(cache_dir("zig"))
    subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "ziglang",
                "cc",
                "-target",
                f"{arch}-linux-musl",
                "-static",
                "-s",
                "-O2",
                "-pthread",
            ),
            *("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wl,--wrap=ioctl", *map(str, sources), "-o", str(output)),
        ],
        check=True,
        env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": zig_cache, "ZIG_LOCAL_CACHE_DIR": zig_cache},
    )
    return output


class FakedAgent:
    """Builds it once per architecture, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def program(self, arch: str) -> Path:
        """The program itself, for this host's architecture or the boards'."""
        if arch not in ("x86_64", "aarch64"):
            pytest.skip(f"there is no agent for {arch}")
        return _program(arch, self._folder / f"agent-{arch}")

    def command(self, *arguments: str, target: Target | None = None) -> list[str]:
        """A command line: here, or on the target's exact processor."""
        if target is None or target.arch == host_arch():
            return [str(self.program(host_arch())), *arguments]
        if shutil.which("qemu-aarch64") is None:
            pytest.skip("no qemu-aarch64 on this machine")
        return qemu_command(target, [self.program("aarch64"), *arguments])

    @staticmethod
    def environment(mailbox: Path) -> Mapping[str, str]:
        """What it has to be started with: in the folder `mailbox`, the file named as a question holds the answer."""
        return {**os.environ, "FAKE_MAILBOX": str(mailbox)}


@pytest.fixture(scope="session")
def faked_agent(tmp_path_factory: pytest.TempPathFactory) -> FakedAgent:
    """The agent, with a folder in place of the firmware of a Pi."""
    return FakedAgent(tmp_path_factory.mktemp("agent"))
