"""Where the data folders lie: `targets/` and `kernels/` at the top of a clone, `edgebin/_data/` in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """The folder `name` ("targets" or "kernels") as shipped with this edgebin.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"edgebin's `{name}` folder is missing from this installation")
