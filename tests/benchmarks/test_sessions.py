"""The benchmark of onnxruntime's sessions runs, and keeps what it prints."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from benchmarks.backends.sessions import main


@pytest.mark.skipif(platform.machine() != "x86_64", reason="times kernels of x86-64")
def test_each_way_to_run_a_model_is_timed(road: Path, tmp_path: Path) -> None:
    main([str(road / "net.export"), "--turns", "2", "--json", str(tmp_path / "sessions.json")])
    models = json.loads((tmp_path / "sessions.json").read_text())["models"]
    figures = models["net.export"]
    assert list(figures) == ["fp32 twin", "exported", "compiled"]
    for figure in figures.values():
        assert figure["best_ms"] > 0
        assert figure["speedup_vs_fp32"] == figures["fp32 twin"]["best_ms"] / figure["best_ms"]
