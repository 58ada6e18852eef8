"""Which processors a session is kept on."""

from __future__ import annotations

from collections.abc import Collection

from edgebin.board.inspect import Board
from edgebin.errors import InputError
from edgebin.targets import Core


def choose_cpus(threads: int, board: Board, core: Core, allowed: Collection[int] | None = None) -> tuple[int, ...]:
    """The last processors of the kind that the bundle is for: the first ones serve more interrupts.

    Where there are fewer of that kind than threads, all kinds count. `allowed` are those that a process may use there.

    Raises:
        InputError: there are fewer than `threads`.
    """
    there = [cpu for cpu in board.cpus if allowed is None or cpu.cpu in allowed]
    kind = (core.implementer, core.part)
    alike = [cpu for cpu in there if core.part is not None and (cpu.implementer, cpu.part) == kind]
    chosen = sorted(cpu.cpu for cpu in (alike if len(alike) >= threads else there))
    if threads > len(chosen):
        raise InputError(f"{threads} threads on {len(chosen)} processors", hint=f"use --threads {len(chosen)} or less")
    return tuple(chosen[-threads:])
