"""Compilers, runtime libraries and the emulator: finding them, calling them, and saying what to install."""
