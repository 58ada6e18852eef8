"""Looks at a board, as `edgebin.toolchain.doctor` does at this host: what is there, what is missing, and the fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from edgebin.board.state.inspect import Board, PowerSource, inspect_board
from edgebin.board.state.preflight import Finding, preflight
from edgebin.board.state.recognise import fitting_targets, recognise
from edgebin.board.store.agent import place_agent
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Manifest
from edgebin.targets import Target, list_targets, load_target
from edgebin.toolchain.doctor import Check

# What edgebin starts there with a shell, besides its own agent.
_PROGRAMS = ("sh", "sha256sum", "tar", "mktemp", "ln")
_WRONG_KIND = frozenset({"architecture", "userland", "glibc", "features", "page_size"})


@dataclass(frozen=True)
class Examination:
    """What was found. `board` is None where edgebin cannot even look. `target` is what the board is, if that is known.

    `wrong_kind`: the machine can never run what is wanted; `broken`: it cannot now, for want of something.
    """

    name: str
    board: Board | None
    target: str | None
    checks: tuple[Check, ...]
    wrong_kind: bool

    @property
    def broken(self) -> bool:
        return any(check.required and not check.ok for check in self.checks)


def examine_board(
    transport: Transport, wanted: Manifest | Target | None = None, *, root: PurePosixPath | None = None
) -> Examination:
    """Brings the agent there and asks it.

    Args:
        transport: the way there.
        wanted: a bundle's manifest, or the target to compile for, that the board is held against.
        root: as `inspect_board`.

    Raises:
        TargetMismatch: no agent runs there.
        ToolchainError: the agent cannot be built.
        ConnectionLost, BoardError: the board cannot be reached, or refuses.
    """
    programs = _programs(transport)
    if not programs.ok:
        return Examination(transport.name, None, None, (programs,), wrong_kind=False)
    agent = place_agent(transport)
    board = inspect_board(transport, agent, root=root)
    findings = {finding.id: finding for finding in preflight(board, wanted)}
    checks = (
        programs,
        *_of_kind(board, findings),
        *_of_room(board, findings),
        *_of_state(board, findings),
        *_of_power(board.power_sources),
        _tuning(board),
        *(_left(transport, agent, job) for job in board.left_tuning),
    )
    return Examination(transport.name, board, recognise(board), checks, wrong_kind=bool(findings.keys() & _WRONG_KIND))


def _programs(transport: Transport) -> Check:
    """Asks a shell of the board, which has to be there; all in one question."""
    said = transport.run(
        ["sh", "-c", 'for name; do command -v "$name" >/dev/null || echo "$name"; done', "sh", *_PROGRAMS]
    )
    missing = said.stdout.decode(errors="replace").split()
    return Check(
        "tools",
        None if missing else ", ".join(_PROGRAMS),
        "bringing files there",
        f"install {', '.join(missing)} there" if missing else "",
        required=True,
    )


def _check(
    name: str, found: str | None, needed_for: str, findings: Iterable[Finding | None], *, required: bool = False
) -> Check:
    """One that is in order unless something has been found about it."""
    about = [finding for finding in findings if finding is not None]
    return Check(
        name,
        found,
        needed_for,
        "; ".join(finding.hint for finding in about),
        required=required or any(finding.severity == "error" for finding in about),
        problem="; ".join(finding.message for finding in about) or None,
    )


def _of_kind(board: Board, findings: dict[str, Finding]) -> list[Check]:
    known = recognise(board)
    fitting = ", ".join(f"-t {target}" for target in fitting_targets(board))
    kind = (
        f"{load_target(known).name} (-t {known})"
        if known
        else f"one that edgebin has no name for; {fitting or 'none'} fits"
    )
    library = f"glibc {board.glibc}" if board.glibc else "no glibc for its kernel"
    bits = f"{board.userland_bits}-bit" if board.userland_bits else "unknown"
    return [
        _check(
            "machine", f"{board.model or 'no name'}, {board.machine}", "running bundles", [findings.get("architecture")]
        ),
        _check("target", kind, "compiling for it", [findings.get("other_board")]),
        _check("processor", _cores(board), "the kernels of a bundle", [findings.get("features")]),
        Check("kernel", f"{board.os or 'unknown system'}, Linux {board.kernel}", "everything", ""),
        _check("userland", f"{bits}, {library}", "running bundles", [findings.get("userland"), findings.get("glibc")]),
        _check("memory pages", f"{board.page_bytes // 1024} KiB", "loading bundles", [findings.get("page_size")]),
        *([Check("firmware", board.firmware, "the record of a run", "")] if board.firmware else []),
    ]


def _cores(board: Board) -> str:
    cores = [target.core for target in list_targets()]
    names: dict[tuple[int | None, int | None], str] = {(core.implementer, core.part): core.name for core in cores}
    names[None, None] = "core"
    counted = Counter(names.get((cpu.implementer, cpu.part), f"part {cpu.part or 0:#x}") for cpu in board.cpus)
    clocks = [cpu.max_hz for cpu in board.cpus if cpu.max_hz]
    return " + ".join(f"{count} x {name}" for name, count in counted.items()) + (
        f", up to {max(clocks) / 1e9:.2f} GHz" if clocks else ""
    )


def _of_room(board: Board, findings: dict[str, Finding]) -> list[Check]:
    total, free, disk = board.memory_total_bytes, board.memory_available_bytes, board.disk_free_bytes
    memory = f"{_gb(free)} of {_gb(total)} free" if free is not None and total is not None else None
    return [
        _check("memory", memory or "unknown", "running bundles", [findings.get("memory")]),
        _check(
            "disk", "unknown" if disk is None else f"{_gb(disk)} free", "bringing bundles there", [findings.get("disk")]
        ),
    ]


def _of_state(board: Board, findings: dict[str, Finding]) -> list[Check]:
    heat = ", ".join(f"{zone.name} {zone.celsius:.0f} °C" for zone in board.temperatures)
    governors = ", ".join(sorted({cpu.governor for cpu in board.cpus if cpu.governor}))
    mode = board.nvpmodel and f"{board.nvpmodel.mode}" + (f" ({board.nvpmodel.name})" if board.nvpmodel.name else "")
    steady = "figures that can be trusted"
    return [
        _check("other work", _busy(board), steady, [findings.get("busy")]),
        _check("governor", governors or "the machine has none", steady, [findings.get("governor")]),
        _check("throttling", _throttling(board), steady, [findings.get("throttled")]),
        *([Check("temperature", heat, steady, "")] if heat else []),
        *([Check("power mode", f"nvpmodel {mode}", steady, "")] if mode else []),
    ]


def _busy(board: Board) -> str:
    busy = board.busy_processors
    return "unknown" if busy is None else f"keeps {busy:.1f} of {len(board.cpus)} processors busy"


def _throttling(board: Board) -> str:
    alarms = ", ".join(f"{alarm.name} {alarm.count} times" for alarm in board.over_current if alarm.count)
    if alarms:
        return f"not seen now; over-current alarms since it was switched on: {alarms}"
    if board.throttled is not None and board.throttled.ever and not board.throttled.now:
        return "none now, but since it was switched on"
    return "none" if board.throttled is not None or board.over_current else "the machine does not say"


def _of_power(sources: Iterable[PowerSource]) -> list[Check]:
    checks = [
        Check(
            f"power {source.source}",
            f"{source.boundary} (trust {source.trust})",
            "measured energy",
            source.problem or "",
            problem=None if source.readable else "cannot be read",
        )
        for source in sources
    ]
    remedy = "import the log of an external meter, or put an INA219 or INA226 into its supply"
    return checks or [Check("power", None, "measured energy", remedy)]


def _tuning(board: Board) -> Check:
    may = board.tuning
    able = [
        *(["governor"] if may.governor_writable or may.sudo else []),
        *(
            name
            for name, there in (("nvpmodel", may.nvpmodel), ("jetson_clocks", may.jetson_clocks))
            if there and may.sudo
        ),
    ]
    has_governor = any(cpu.governor for cpu in board.cpus)
    found = ", ".join(able) if has_governor or may.nvpmodel else "nothing to set on this machine"
    return Check("tuning", found or None, "`--tune`", "allow this user `sudo` without a password there")


def _left(transport: Transport, agent: PurePosixPath, job: str) -> Check:
    command = transport.command_line([str(agent), "restore", str(transport.folder / "jobs" / job)])
    return Check(
        "left settings", f"of job {job}, which was killed", "leaving the board as it was", command, problem="still set"
    )


def _gb(bytes_: int) -> str:
    return f"{bytes_ / 1e9:.1f} GB"
