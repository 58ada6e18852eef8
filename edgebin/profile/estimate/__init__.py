"""Latency of a board that is not here: instructions counted under QEMU, on a model of the board's core."""
