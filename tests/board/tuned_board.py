"""A board whose settings can be changed: a Xavier NX in files, with small programs in place of its tools."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.board.trees import TREES, Tree, text

# What nvpmodel does on a Jetson, as far as edgebin sees it: `-q`, `-m N`; mode 3 needs a restart and asks about it.
NVPMODEL = """#!/bin/sh
status="$ROOT/var/lib/nvpmodel/status"
echo "nvpmodel $*" >> "$ROOT/calls"
case "$1" in
-q) echo "NV Power Mode: SOME"; sed -n 's/pmode:0*\\([0-9]\\)/\\1/p' "$status" ;;
-m) if [ "$2" = 3 ]; then
      echo "NVPM WARN: Reboot required for changing to this power mode: 3"
      echo "NVPM WARN: DO YOU WANT TO REBOOT NOW? enter YES/yes to confirm:"
      if read answer; then touch "$ROOT/rebooted"; fi
      echo "NVPM ERROR: bad input!"
      exit 0
    fi
    if [ "$2" = 9 ]; then echo "NVPM ERROR: invalid PM_ID 9"; exit 255; fi
    sleep "${NVPMODEL_SECONDS:-0}"
    printf 'pmode:%04d\\n' "$2" > "$status" ;;
esac
"""
# jetson_clocks: `--store F` asks before it writes over F, `--restore F`, and without an option the highest clocks.
JETSON_CLOCKS = """#!/bin/sh
clock="$ROOT/sys/min_freq"; fan="$ROOT/sys/pwm-fan"
echo "jetson_clocks $*" >> "$ROOT/calls"
case "$1" in
--store) [ -e "$ROOT/mute" ] && exit 1
         if [ -e "$2" ]; then echo "can I overwrite it?"; read answer || exit 1; fi
         echo "$clock:$(cat "$clock")" > "$2"; echo "$fan:$(date +%N)" >> "$2" ;;
--restore) [ -e "$ROOT/stuck" ] && exit 1
           sed -n "s|^$clock:||p" "$2" > "$clock" ;;
"") if [ -e "$ROOT/broken" ]; then echo "Error: Unknown GPU Type!"; exit 1; fi
    echo 1479000 > "$clock" ;;
esac
"""
# sudo -n: what it is asked to run gets what this user lacks.
SUDO = """#!/bin/sh
echo "sudo $*" >> "$ROOT/calls"
[ "$1" = -n ] || exit 3
[ -e "$ROOT/no-sudo" ] && { echo "sudo: a password is required" >&2; exit 1; }
chmod u+w "$ROOT"/sys/devices/system/cpu/cpufreq/*/scaling_governor
shift
exec "$@"
"""


@dataclass
class Setting:
    """A board, its programs, and a job of the agent on it."""

    tree: Tree
    command: Callable[..., list[str]]
    environment: dict[str, str]
    job: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def record(self) -> Path:
        return self.job / "tuning"

    def keep(self, *settings: str, **more: str) -> subprocess.Popen[str]:
        """The keeper itself; its standard input is the agent's end of life."""
        return self.start("keep", str(self.tree.root), str(self.record), *settings, **more)

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment | more,
        )
        self.started.append(process)
        return process

    def restore(self) -> subprocess.CompletedProcess[str]:
        """`agent restore JOB`."""
        command = self.command("restore", str(self.job), "--root", str(self.tree.root))
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)

    def governors(self) -> list[str]:
        return [policy.read_text().strip() for policy in self.tree.policies]

    @property
    def mode(self) -> str:
        return (self.tree.root / "var/lib/nvpmodel/status").read_text().strip()

    @property
    def clock(self) -> str:
        return (self.tree.root / "sys/min_freq").read_text().strip()

    @property
    def calls(self) -> list[str]:
        file = self.tree.root / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def left(self) -> list[str]:
        """What lies in the job's folder."""
        return sorted(path.name for path in self.job.iterdir())

    def assert_untouched(self) -> None:
        """All is as `tuned_board` has made it, and no record is left."""
        assert self.governors() == ["schedutil"] * 3
        assert self.mode in ("pmode:0002 fmode:quiet", "pmode:0002")
        assert self.clock == "204000"
        assert [name for name in self.left() if name.startswith("tuning")] == []

    def end(self) -> None:
        """Ends what was started and is still there."""
        for process in self.started:
            process.kill()
            process.communicate()


def tuned_board(folder: Path, command: Callable[..., list[str]]) -> Setting:
    """Three policies, nvpmodel in mode 2, jetson_clocks off; `command` makes a command line of the agent's words."""
    tree = TREES["xavier-nx-jp5"](folder / "root")
    text(tree.root / "sys/min_freq", "204000")
    programs = folder / "bin"
    for name, content in (("nvpmodel", NVPMODEL), ("jetson_clocks", JETSON_CLOCKS), ("sudo", SUDO)):
        text(programs / name, content).chmod(0o755)
    job = folder / "jobs/one"
    job.mkdir(parents=True)
    path = f"{programs}:{os.environ['PATH']}"
    environment = {**os.environ, "ROOT": str(tree.root), "PATH": path, "FAKE_MAILBOX": "/nowhere"}
    return Setting(tree, command, environment, job)
