"""The agent on a machine: the program of kernels/agent/ that is for it, brought there."""

from __future__ import annotations

from pathlib import PurePosixPath

from edgebin.board.store.deploy import deploy_program
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.transport import Transport
from edgebin.errors import TargetMismatch
from edgebin.toolchain.agent import ARCHES, agent_program


def place_agent(transport: Transport) -> PurePosixPath:
    """Brings the agent for the machine's own processor there, unless it is there; gives its path.

    Raises:
        TargetMismatch: there is no agent for such a processor.
        ToolchainError: it cannot be built.
        ConnectionLost, BoardError: the machine cannot be reached, or its disk is full.
    """
    machine = machine_of(transport)
    if machine not in ARCHES:
        raise TargetMismatch(
            f"{transport.name} is {machine or 'no Linux machine'}",
            hint=f"edgebin compiles for {' and '.join(ARCHES)} only; a 64-bit system may be all that is missing",
        )
    return deploy_program(transport, agent_program(machine), "agent").path


def machine_of(transport: Transport) -> str:
    """What the machine's kernel calls it; of an emulated one, what it emulates.

    Raises:
        ConnectionLost, BoardError: the machine cannot be reached.
    """
    if isinstance(transport, QemuTransport):
        return transport.target.arch
    return transport.run(["uname", "-m"]).stdout.decode(errors="replace").strip()
