"""Ways to a machine: this host, QEMU, SSH; and the names by which machines are reached."""
