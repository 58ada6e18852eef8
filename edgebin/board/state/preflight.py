"""Whether a machine can run a bundle, and whether it is in a state to be measured: before anything is copied there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from edgebin.board.state.inspect import Board
from edgebin.board.state.recognise import fitting_targets, recognise
from edgebin.bundle import Manifest
from edgebin.errors import TargetMismatch
from edgebin.targets import Target, load_target
from edgebin.toolchain.elf import BOARD_PAGE_SIZE, parse_glibc
from edgebin.toolchain.runtime import OLDEST_GLIBC, Backend

Severity = Literal["error", "warning"]

_BUSY = 0.5  # of all processors
# Throttled bits, lowest first. Source: Raspberry Pi documentation, "vcgencmd get_throttled".
_THROTTLED = ("under-voltage", "clock capped", "throttled", "soft temperature limit")

# Every finding there is: what it means, and what helps. docs/board.md shows this table.
FINDINGS: Mapping[str, tuple[Severity, str, str]] = MappingProxyType(
    {
        "architecture": ("error", "the bundle is for another kind of processor", "compile for this one"),
        "userland": (
            "error",
            "the programs there are 32-bit, whatever the kernel is",
            "install the 64-bit system: edgebin makes 64-bit programs only",
        ),
        "glibc": (
            "error",
            "the C library there is older than the bundle needs, or none",
            "compile with `--backend tvm`, which needs the oldest",
        ),
        "features": ("error", "the processor lacks instructions that the bundle uses", "compile for its own target"),
        "page_size": ("error", "memory pages there are larger than the bundle is aligned to", "compile it again"),
        "memory": ("error", "too little free memory for the model", "end other programs"),
        "disk": ("error", "too little free disk space for the bundle", "`edgebin devices clean` removes old bundles"),
        "other_board": (
            "warning",
            "the bundle's kernels were chosen for another board; it runs, but it could be faster",
            "compile for the board's own target",
        ),
        "throttled": ("warning", "the board holds itself back right now", "cool it, or mend its power supply"),
        "governor": ("warning", "the clock follows the load", "`--tune` sets the governor `performance` for the run"),
        "sensor": ("warning", "a power sensor is there but cannot be read", "the finding names the command"),
        "busy": ("warning", "half of the processors or more are busy", "stop the other work"),
        "left_tuning": (
            "warning",
            "a killed job has left settings behind",
            "the agent's `restore` puts them back; so does the next run with `--tune`",
        ),
    }
)


@dataclass(frozen=True)
class Finding:
    """One thing that is the matter. `id` is of `FINDINGS`; an error means that the bundle does not run there."""

    id: str
    severity: Severity
    message: str
    hint: str


@dataclass(frozen=True)
class _Needs:
    """What a bundle asks of a machine. `memory_bytes` and `disk_bytes` are the least: none runs in less, some in more.

    Memory: every runtime holds the model's file and its own arrangement of the weights beside it.
    """

    what: str
    target: Target
    features: tuple[str, ...]
    glibc: str
    backend: Backend
    memory_bytes: int = 0
    disk_bytes: int = 0

    @classmethod
    def of_bundle(cls, manifest: Manifest) -> _Needs:
        sizes = {name: entry.size for name, entry in manifest.files.items()}
        libraries = sum(size for name, size in sizes.items() if name.startswith("lib/"))
        return cls(
            f"the bundle is for {manifest.target.id}",
            manifest.target,
            manifest.features,
            manifest.glibc,
            manifest.backend,
            memory_bytes=2 * sizes.get(manifest.model_name, 0) + libraries,
            disk_bytes=sum(sizes.values()),
        )

    @classmethod
    def of_target(cls, target: Target) -> _Needs:
        return cls(f"bundles for {target.id} are asked for", target, target.features, OLDEST_GLIBC, "tvm")


def preflight(board: Board, wanted: Manifest | Target | None = None) -> list[Finding]:
    """What stands in the way on a machine, errors first.

    Args:
        board: the machine.
        wanted: a bundle's manifest, or the target that bundles are to be compiled for; None: any bundle at all.
    """
    if board.machine not in ("aarch64", "x86_64") or wanted is None:
        found = _ask_any(board)
    else:
        needs = _Needs.of_target(wanted) if isinstance(wanted, Target) else _Needs.of_bundle(wanted)
        found = _ask(board, needs)
    return sorted([*found, *_ask_state(board)], key=lambda finding: finding.severity)


def require(findings: Iterable[Finding], *, name: str) -> None:
    """Refuses a machine that has errors; `name` is for people.

    Raises:
        TargetMismatch: says all that is the matter, and the first remedy.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise TargetMismatch(
            f"{name} cannot run it: " + "; ".join(error.message for error in errors), hint=errors[0].hint
        )


def is_busy(board: Board) -> bool:
    """Whether other work filled half of the processors while the agent looked."""
    return board.busy_processors is not None and board.busy_processors >= _BUSY * max(len(board.cpus), 1)


def recompile(board: Board) -> str:
    """The command that makes a bundle for this machine, as far as it is known which it is."""
    fitting = fitting_targets(board)
    return f"`edgebin compile … -t {fitting[0]}`" if fitting else "`edgebin targets list` shows what there is"


def _found(id_: str, message: str, hint: str | None = None) -> Finding:
    severity, _, remedy = FINDINGS[id_]
    return Finding(id_, severity, message, hint or remedy)


def _ask_any(board: Board) -> list[Finding]:
    findings = []
    if board.machine not in ("aarch64", "x86_64"):
        findings.append(
            _found("architecture", f"this machine is {board.machine}", "edgebin compiles for aarch64 and x86_64 only")
        )
    elif (userland := _userland(board)) is not None:
        findings.append(userland)
    elif board.glibc is None or parse_glibc(board.glibc) < parse_glibc(OLDEST_GLIBC):
        findings.append(
            _found("glibc", f"glibc {OLDEST_GLIBC} is needed, {_library(board)}", _older_glibc(board, "tvm"))
        )
    return findings


def _userland(board: Board) -> Finding | None:
    if board.userland_bits != 32:
        return None
    return _found("userland", f"the kernel is {board.machine}, but the programs there are 32-bit")


def _library(board: Board) -> str:
    return f"there is glibc {board.glibc}" if board.glibc else "there is another C library"


def _ask(board: Board, needs: _Needs) -> list[Finding]:
    target = needs.target
    if board.machine != target.arch:
        message = f"{needs.what} ({target.arch}), this machine is {board.machine}"
        return [_found("architecture", message, f"compile for this machine: {recompile(board)}")]
    findings = []
    if missing := sorted(set(needs.features) - set(board.features)):
        message = f"{needs.what}, which has {', '.join(missing)}; this machine has not"
        findings.append(_found("features", message, f"compile for this machine: {recompile(board)}"))
    elif (known := recognise(board)) not in (None, target.id, target.id.removesuffix("-tuned")):
        message = f"{needs.what}, this is a {load_target(str(known)).name}"
        findings.append(_found("other_board", message, f"compile for this board: {recompile(board)}"))
    if (userland := _userland(board)) is not None:
        findings.append(userland)
    elif board.glibc is None or parse_glibc(board.glibc) < parse_glibc(needs.glibc):
        message = f"glibc {needs.glibc} is needed, {_library(board)}"
        findings.append(_found("glibc", message, _older_glibc(board, needs.backend)))
    if target.arch == "aarch64" and board.page_bytes > BOARD_PAGE_SIZE:
        message = f"pages are {board.page_bytes} bytes, the bundle is aligned to {BOARD_PAGE_SIZE}"
        findings.append(_found("page_size", message))
    if board.memory_available_bytes is not None and board.memory_available_bytes < needs.memory_bytes:
        message = (
            f"{_mb(board.memory_available_bytes)} of memory are free, {_mb(needs.memory_bytes)} are needed at least"
        )
        findings.append(_found("memory", message))
    if board.disk_free_bytes is not None and board.disk_free_bytes < needs.disk_bytes:
        message = f"{_mb(board.disk_free_bytes)} of disk space are free, the bundle takes {_mb(needs.disk_bytes)}"
        findings.append(_found("disk", message))
    return findings


def _older_glibc(board: Board, backend: Backend) -> str:
    if board.glibc is None or parse_glibc(board.glibc) < parse_glibc(OLDEST_GLIBC):
        return f"install a newer system: no bundle runs on less than glibc {OLDEST_GLIBC}"
    if backend == "tvm":
        return "compile with zig, which links for an old C library: `edgebin compile … --compiler zig`"
    return f"compile with `--backend tvm`, which needs only glibc {OLDEST_GLIBC}"


def _ask_state(board: Board) -> list[Finding]:
    findings = []
    if board.throttled is not None and board.throttled.now:
        said = [name for bit, name in enumerate(_THROTTLED) if board.throttled.now >> bit & 1]
        findings.append(_found("throttled", f"the firmware says: {', '.join(said)}"))
    governors = sorted({cpu.governor for cpu in board.cpus if cpu.governor is not None})
    if governors and governors != ["performance"]:
        findings.append(_found("governor", f"the governor is `{', '.join(governors)}`", _tune_hint(board)))
    for source in board.power_sources:
        if not source.readable:
            findings.append(_found("sensor", f"`{source.source}` cannot be read", source.problem))
    if is_busy(board):
        message = f"other work keeps {board.busy_processors:.1f} of {len(board.cpus)} processors busy"
        findings.append(_found("busy", message))
    if board.left_tuning:
        findings.append(_found("left_tuning", f"killed jobs left settings behind: {', '.join(board.left_tuning)}"))
    return findings


def _tune_hint(board: Board) -> str:
    if board.tuning.governor_writable or board.tuning.sudo:
        return FINDINGS["governor"][2]
    return "`--tune` could set `performance`, if this user had `sudo` without a password there"


def _mb(bytes_: int) -> str:
    return f"{bytes_ / 1e6:.0f} MB"
