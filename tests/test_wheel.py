"""An installed edgebin works outside the clone: the wheel carries targets and kernels."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_wheel_works_outside_the_clone(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(pip, check=True)
    (wheel,) = tmp_path.glob("edgebin-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
        assert {"edgebin/report/templates/page.html.j2", "edgebin/report/templates/page.css"} <= set(archive.namelist())
        shipped = {name.removeprefix("edgebin/_data/") for name in archive.namelist() if "/_data/" in name}
    for folder in ("targets", "kernels"):
        in_clone = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {name for name in in_clone if "/build/" not in name} <= shipped
    # PYTHONPATH comes before the clone that an editable installation adds.
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    code = "import edgebin, edgebin.targets as t; print(edgebin.__file__); print(t.load_target('rpi5').name)"
    shown = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    file, name = shown.stdout.splitlines()
    assert Path(file).is_relative_to(installed)
    assert name == "Raspberry Pi 5"
