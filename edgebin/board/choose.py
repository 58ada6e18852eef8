"""Picks the machine for a bundle."""

from __future__ import annotations

from edgebin.board.local import LocalMachine
from edgebin.board.machine import Machine
from edgebin.board.qemu import QemuMachine
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
