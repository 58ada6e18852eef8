"""Which target a machine is."""

from __future__ import annotations

from edgebin.board.state.inspect import Board
from edgebin.targets import Target, list_targets


def recognise(board: Board) -> str | None:
    """The id of the target that this machine is, by its model's name and its cores; None for one we do not know."""
    for target in list_targets():
        if target.arch == board.machine and _is_model(board, target) and _has_core(board, target):
            return target.id
    return None


def fitting_targets(board: Board) -> tuple[str, ...]:
    """Targets to compile for, so that it runs on this machine: what it is first, then those with its cores.

    Where no target has its cores, all whose instructions it has.
    """
    possible = [target for target in list_targets() if target.arch == board.machine and _can_run(board, target)]
    same = [target.id for target in possible if _has_core(board, target) and target.core.part is not None]
    known = recognise(board)
    first = (known,) if known in [target.id for target in possible] else ()
    return tuple(dict.fromkeys((*first, *(same or [target.id for target in possible]))))


def _is_model(board: Board, target: Target) -> bool:
    if not target.models:
        return target.arch == "x86_64"
    return board.model is not None and board.model.startswith(target.models)


def _has_core(board: Board, target: Target) -> bool:
    """Whether one of the cores is the target's; machines that do not say which they have are believed."""
    parts = {(cpu.implementer, cpu.part) for cpu in board.cpus if cpu.part is not None}
    return not parts or target.core.part is None or (target.core.implementer, target.core.part) in parts


def _can_run(board: Board, target: Target) -> bool:
    return target.arch == "x86_64" or set(target.features) <= set(board.features)
