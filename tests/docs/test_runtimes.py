"""Documents about other runtimes say what works: every command and every program in them is run, in order."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgebin.errors import MeasurementInvalid

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PACKAGES = ("ai_edge_litert", "larq_compute_engine")


def blocks(document: str) -> list[tuple[str, str]]:
    """Language and text of each block of a document that can be run."""
    return [(found[1], found[2]) for found in _BLOCK.finditer((ROOT / "docs" / document).read_text())]


@pytest.mark.parametrize("document", ["onnxruntime.md", "tflite.md"])
def test_what_the_document_shows_runs(document: str, tmp_path: Path) -> None:
    text = "".join(block for _, block in blocks(document))
    for package in _PACKAGES:
        if package in text and importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    printed = []
    for language, block in blocks(document):
        command = ["bash", "-ec", block] if language == "sh" else [sys.executable, "-c", block]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or _measured_beside_other_work(block, done), (
            f"{block}\n{done.stdout}\n{done.stderr}"
        )
        printed += re.findall(r"^digit: (\d)$", done.stdout, re.MULTILINE)
    assert printed
    assert len(set(printed)) == 1, "runtimes disagree on the first image"


def _measured_beside_other_work(block: str, done: subprocess.CompletedProcess[str]) -> bool:
    """Other tests run meanwhile, and a profile then says that it must not be trusted: it ran, to its end."""
    ends_with_a_profile = block.rstrip().splitlines()[-1].startswith("edgebin profile ")
    kept = "\nkept in " in done.stderr and "\nerror: the figures must not be trusted: " in done.stderr
    return ends_with_a_profile and done.returncode == MeasurementInvalid.exit_code and kept
