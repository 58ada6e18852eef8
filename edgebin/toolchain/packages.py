"""Python packages that only some commands need."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from edgebin.errors import ToolchainError

# What writes `.tflite` files.
TFLITE_WRITER = ("flatbuffers", "tflite")


def require_packages(modules: Iterable[str], extra: str) -> None:
    """Makes sure that modules can be imported; `extra` is what `pip` calls them together.

    Raises:
        ToolchainError: one is not installed.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            package = module.replace("_", "-")
            raise ToolchainError(f"the `{package}` package is not installed", hint=f"pip install 'edgebin[{extra}]'")
