"""Where edgebin keeps what can be made or fetched again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_dir(*parts: str) -> Path:
    """A folder of edgebin's cache, created on the way: `$EDGEBIN_CACHE_DIR`, or the user's cache folder."""
    root = os.environ.get("EDGEBIN_CACHE_DIR")
    path = (Path(root) if root else platformdirs.user_cache_path("edgebin")).joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
