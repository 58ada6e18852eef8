"""What a profile would do on its machine, command by command, without connecting to anything."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from edgebin.board.job import Job
from edgebin.board.transports.hosts import LOCAL
from edgebin.board.transports.reach import reach
from edgebin.board.transports.ssh import SshTransport
from edgebin.board.transports.transport import Finished, Transport
from edgebin.bundle import Bundle
from edgebin.profile.baselines.contender import named
from edgebin.profile.measure.measurement import make_ready
from edgebin.profile.measure.plan import Plan, Program
from edgebin.profile.options import AUTO, CSV_PREFIX, METER, OFF, Options
from edgebin.targets import Target
from edgebin.targets.host import host_arch, host_glibc

# Where commands over SSH begin: in the user's home folder.
_HOME_FOLDER = PurePosixPath(".cache/edgebin/board")
# Stands for whichever the board turns out to have.
_BEST_SENSOR = "BEST_SENSOR"


def dry_run_lines(bundles: Sequence[Bundle], options: Options, *, host: str | None = None) -> list[str]:
    """Everything that a profile would do there, in order: lines that begin with `#` explain, all others are commands.

    Nothing is connected; baselines are made on this host, for their sizes.

    Raises:
        BundleError, InputError, ToolchainError: as the profile itself.
    """
    target = bundles[0].manifest.target
    if host is None and target.arch != host_arch():
        return [f"# an estimate for {target.name}: programs are counted under QEMU here, nothing runs on a board"]
    with contextlib.closing(PaperTransport(reach(host or LOCAL), target, options)) as paper:
        paper.lines += [
            f"# what `edgebin profile` would do on {paper.name}, were it a fresh {target.id}; nothing has been done",
            *([f"# folders are in the user's home, {_HOME_FOLDER} for example"] if paper.remote else []),
        ]
        job, prepared = make_ready(named(bundles), options, paper, host=host or LOCAL)
        plan = prepared.plan
        job.transport.put({job.plan_path: plan.text().encode()})
        paper.lines += [
            *(f"#   {line}" for line in plan.text().splitlines()),
            job.transport.command_line(job.start_command()),
            *_what_the_agent_does(plan),
            job.transport.command_line(job.follow_command(0)),
            *_afterwards(plan, job),
        ]
        return paper.lines


def _what_the_agent_does(plan: Plan) -> Iterator[str]:
    """What is started there by the agent, and not from here."""
    for setting in plan.tune:
        yield f"# the agent sets, through `sudo -n` where it has to: {setting}"
    for session in plan.sessions:
        where = "any processor" if session.cores is None else f"processors {', '.join(map(str, session.cores))}"
        yield f"# the agent starts on {where}, and has timed in turns:"
        yield from (f"#   {_started(program)}" for program in session.contenders)
        if plan.idle_seconds:
            yield (
                f"#   idles {plan.idle_seconds:g} s before and after {plan.energy_windows} windows of "
                f"{plan.energy_seconds:g} s each, power read from: {plan.power or 'a meter of yours'}"
            )
    if plan.commands:
        yield "# the agent runs, after that:"
        yield from (f"#   {_started(program)}" for program in plan.commands)
    for setting in reversed(plan.tune):
        yield f"# the agent puts back: {setting.split()[0]}"


def _afterwards(plan: Plan, job: Job) -> Iterator[str]:
    if plan.power is not None:
        yield f"# fetch {job.folder / 'power'}"
    yield job.transport.command_line(job.remove_command())


def _started(program: Program) -> str:
    return shlex.join([*("=".join(pair) for pair in program.environment), *program.words])


class PaperTransport:
    """Writes down what it is asked for, and answers as a fresh board of a target would."""

    emulated = False

    def __init__(self, way: Transport, target: Target, options: Options) -> None:
        self._way, self._target, self._options = way, target, options
        self.name = way.name
        self.remote = isinstance(way, SshTransport)
        self.folder = _HOME_FOLDER if self.remote else way.folder
        self.lines: list[str] = []

    def run(
        self, command: Sequence[str], *, stdin: bytes | IO[bytes] = b"", timeout_s: float | None = None
    ) -> Finished:
        sent = len(stdin) if isinstance(stdin, bytes) else os.fstat(stdin.fileno()).st_size
        self.lines += [f"# with an archive of {sent} bytes on standard input:"] if sent else []
        self.lines.append(self.command_line(command))
        if command[0] == "uname":
            return Finished(0, self._target.arch.encode(), "")
        if "inspect" in command[1:2]:
            return Finished(
                0, json.dumps(_fresh_board(self._target, self._options, local=not self.remote)).encode(), ""
            )
        return Finished(0, b"", "")

    @contextlib.contextmanager
    def stream(self, command: Sequence[str]) -> Iterator[Iterator[bytes]]:
        self.lines.append(self.command_line(command))
        yield iter(())

    def put(self, files: Mapping[PurePosixPath, Path | bytes], *, executable: bool = False) -> None:
        for path, file in files.items():
            size = file.stat().st_size if isinstance(file, Path) else len(file)
            self.lines.append(f"# write {path} ({size} bytes)")

    def get(self, path: PurePosixPath, to: Path) -> None:
        self.lines.append(f"# fetch {path}")

    def command_line(self, command: Sequence[str]) -> str:
        return self._way.command_line(command)

    def close(self) -> None:
        self._way.close()


def _fresh_board(target: Target, options: Options, *, local: bool) -> dict[str, Any]:
    """What `inspect` would say of an idle board of this kind, as far as it decides what is done."""
    core = target.core
    cpu = {
        "implementer": core.implementer,
        "part": core.part,
        "max_hz": target.freq_hz,
        "current_hz": target.freq_hz,
        "governor": "ondemand",
    }
    none_read = options.energy in (OFF, METER) or options.energy.startswith(CSV_PREFIX)
    sensor = {
        "source": _BEST_SENSOR if options.energy == AUTO else options.energy,
        "readable": True,
        "problem": None,
        "boundary": "",
        "trust": "E",
        "reading": "power",
        "settings": {},
        "channels": [],
    }
    return {
        **dict.fromkeys(
            ("os", "memory_total_bytes", "memory_available_bytes", "disk_free_bytes", "load_1min", "busy_processors")
        ),
        **dict.fromkeys(("throttled", "nvpmodel", "firmware")),
        **{name: [] for name in ("temperatures", "over_current", "groups", "left_tuning")},
        "model": target.name,
        "machine": target.arch,
        "kernel": "",
        "userland_bits": 64,
        "glibc": ".".join(map(str, host_glibc() or ())) or None if local else target.glibc,
        "hwcap": 0,
        "hwcap2": 0,
        "features": list(target.features),
        "cpus": [{"cpu": number, **cpu} for number in range(target.cores)],
        "page_bytes": target.page_size,
        "user": "",
        "tuning": {"governor_writable": False, "sudo": True, "nvpmodel": True, "jetson_clocks": True},
        "power_sources": [] if none_read else [sensor],
    }
