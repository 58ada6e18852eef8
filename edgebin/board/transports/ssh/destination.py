"""What is taken for the name of another machine: what `ssh` takes, and nothing that a shell or an option could be."""

from __future__ import annotations

import re

from edgebin.errors import InputError

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_IPV6 = r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?"
# `user@host`, a name of ~/.ssh/config, an address of either kind; or a URI, which can also have a port.
_DESTINATION = re.compile(rf"({_NAME}@)?({_NAME}|{_IPV6})|ssh://({_NAME}@)?({_NAME}|\[{_IPV6}\])(:[0-9]{{1,5}})?/?")


def ssh_destination(host: str) -> str:
    """`host` itself, if `ssh` can be given it.

    Raises:
        InputError: no name of a machine.
    """
    if not _DESTINATION.fullmatch(host):
        raise InputError(
            f"{host!r} is no name of a machine",
            hint="a host as `ssh` takes it, such as pi@board, 10.0.0.7 or ssh://pi@board:2222; ports, keys and jumps "
            "are also read from ~/.ssh/config",
        )
    return host
