"""The words by which a machine is named: `local`, `qemu:TARGET`, or a host as `ssh` takes it."""

from __future__ import annotations

from edgebin.board.transports.ssh.destination import ssh_destination

LOCAL = "local"
QEMU_PREFIX = "qemu:"


def checked_host(host: str) -> str:
    """`host` itself, if it names a machine; whether it is there is not asked.

    Raises:
        InputError: no name of a machine.
    """
    if host == LOCAL or host.startswith(QEMU_PREFIX):
        return host
    return ssh_destination(host)
