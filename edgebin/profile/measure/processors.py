"""Which processors a session is kept on."""

from __future__ import annotations

from collections.abc import Collection

from edgebin.board.state.inspect import Board
from edgebin.errors import InputError
from edgebin.targets import Core


def check_cpus(cpus: Collection[int], board: Board, allowed: Collection[int] | None = None) -> tuple[int, ...]:
    """The processors that a user names.

    Raises:
        InputError: one is not there, or a process may not use it.
    """
    there = [cpu.cpu for cpu in board.cpus if allowed is None or cpu.cpu in allowed]
    if missing := sorted(set(cpus) - set(there)):
        raise InputError(
            f"cannot pin to processor {missing[0]}", hint=f"there are processors {', '.join(map(str, there))}"
        )
    return tuple(cpus)


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
