"""From the name of a machine to a way to it."""

from __future__ import annotations

from edgebin.board.transports.devices import Device, registered_devices
from edgebin.board.transports.hosts import LOCAL, QEMU_PREFIX
from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.ssh import SshTransport
from edgebin.board.transports.transport import Transport
from edgebin.targets import load_target


def reach(host: str) -> Transport:
    """A way to `local`, to a device of the registry by its name, to `qemu:TARGET`, or to what `ssh` knows as `host`.

    Nothing is connected before it is used. A device's name hides a host of the same name.

    Raises:
        InputError: no name of a machine; no such target.
    """
    if host == LOCAL:
        return LocalTransport()
    device = registered_devices().get(host)
    return _way(host, None) if device is None else reach_device(device)


def reach_device(device: Device) -> Transport:
    """A way to a board of a list.

    Raises:
        InputError: no such target.
    """
    return _way(device.host, device.name)


def _way(host: str, name: str | None) -> Transport:
    if host == LOCAL:
        return LocalTransport()
    if host.startswith(QEMU_PREFIX):
        return QemuTransport(load_target(host.removeprefix(QEMU_PREFIX)))
    return SshTransport(host, name)
