"""A way to a board through the OpenSSH programs of this host."""

from edgebin.board.transports.ssh.destination import ssh_destination
from edgebin.board.transports.ssh.transport import SshTransport

__all__ = ["SshTransport", "ssh_destination"]
