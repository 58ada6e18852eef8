"""Writes the shape files of the models anew, from the models: `python -m benchmarks.kernels.update_shapes [MODEL ...]`.

To be run when lowering changes; tests/benchmarks/ notices.
"""

from __future__ import annotations

import sys

from benchmarks.kernels.lowered import lowered_calls
from benchmarks.kernels.shapes import write_shapes
from edgebin.models.registry import resolve_config

MODELS = ("reactdeit-small", "binaryvit-small", "bhvit-small", "bivit-deit-s", "bivit-swin-t")


def main() -> None:
    """Writes the files named on the command line, or all."""
    for name in sys.argv[1:] or MODELS:
        comment = f"Every kernel call of {name}, batch 1: written by `python -m benchmarks.kernels.update_shapes`."
        write_shapes(name, lowered_calls(resolve_config(name)), comment)


if __name__ == "__main__":
    main()
