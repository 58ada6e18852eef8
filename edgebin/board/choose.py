"""Picks the machine for a bundle."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from edgebin.board.local import LocalMachine
from edgebin.board.machine import Machine
from edgebin.board.qemu import QemuMachine
from edgebin.board.remote import RemoteMachine
from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.reach import reach
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Bundle
from edgebin.targets.host import host_arch


def machine_for(bundle: Bundle) -> Machine:
    """This host where the bundle is for its architecture; QEMU with the bundle's own target for ARM bundles elsewhere.

    Raises:
        TargetMismatch: this host is of the right architecture but lacks something, or there is no emulator for it.
        ToolchainError: the emulator is not installed.
    """
    target = bundle.manifest.target
    emulate = target.arch == "aarch64" and host_arch() != "aarch64"
    machine: Machine = QemuMachine(target) if emulate else LocalMachine()
    machine.check(bundle.manifest)
    return machine


@contextlib.contextmanager
def machine_at(host: str | None, bundle: Bundle) -> Iterator[Machine]:
    """The machine that `reach` knows as `host`, connected inside the context; None: as `machine_for`.

    Raises:
        InputError: no name of a machine.
        TargetMismatch, ToolchainError: it cannot run the bundle.
        BoardError: it cannot be reached.
    """
    if host is None:
        yield machine_for(bundle)
        return
    with contextlib.closing(reach(host)) as transport:
        machine = _machine(transport)
        machine.check(bundle.manifest)
        yield machine


def _machine(transport: Transport) -> Machine:
    if isinstance(transport, QemuTransport):
        return QemuMachine(transport.target)
    if isinstance(transport, LocalTransport):
        return LocalMachine()
    return RemoteMachine(transport)
