from __future__ import annotations

from pathlib import Path

import pytest

from edgebin.backends.ort import cached_library
from edgebin.targets import load_target


@pytest.fixture(scope="session")
def ort_library() -> Path:
    return cached_library(load_target("x86-64"))
