"""Why `ssh` did not get to a board, and what helps."""

from __future__ import annotations

from edgebin.toolchain.process import tail

# What ssh says (OpenSSH's ssh.c, sshconnect.c, sshconnect2.c, misc.c) → what helps; the first that fits.
_HINTS = (
    (
        "HOST IDENTIFICATION HAS CHANGED",
        "the board has another key than last time: if it was installed anew, `ssh-keygen -R {name}`; if not, somebody "
        "may be in between",
    ),
    (
        "Host key verification failed",
        "this host does not know the board's key yet: `ssh {host}` once by hand, and compare the key that it shows",
    ),
    (
        "Permission denied",
        "the board accepts none of your keys: `ssh-copy-id {host}`; a key with a passphrase has to be in an agent: "
        "`ssh-add`",
    ),
    ("Too many authentication failures", "name the key for this board in ~/.ssh/config: IdentityFile, IdentitiesOnly"),
    (
        "Could not resolve hostname",
        "no such name in the network or in ~/.ssh/config; boards often answer to NAME.local, or take the address",
    ),
    ("Connection refused", "no SSH server listens there: enable it on the board, or give its port in ~/.ssh/config"),
    ("timed out", "is the board on, and in this network? `ping {name}`"),
    ("No route to host", "is the board on, and in this network? `ping {name}`"),
    ("Network is unreachable", "this host has no way into that network"),
    ("onfiguration option", "`$EDGEBIN_SSH_CONFIG` or ~/.ssh/config has a mistake: `ssh {host} true` shows it too"),
)
_NO_HINT = "`ssh {host} true` has to work without asking for anything"


def hint(said: str, host: str) -> str:
    """The action that helps, from what `ssh` said."""
    name = host.removeprefix("ssh://").rpartition("@")[2]
    found = next((text for words, text in _HINTS if words in said), _NO_HINT)
    return found.format(host=host, name=name)


def summary(said: str) -> str:
    """What `ssh` said without the frames that it draws round warnings."""
    lines = [line for line in said.splitlines() if line.strip("@ \t\r")]
    return tail("\n".join(lines)) or "ssh said nothing"
