"""What our kernels save inside onnxruntime: each export folder against its full-precision twin, on one thread.

    python -m benchmarks.backends.sessions reactdeit-small bhvit-small --json sessions.json

Sessions take turns, one inference each, and the least of all turns counts: a busy machine slows a turn, never speeds
one up. `exported` is the file that `edgebin export` wrote, `compiled` what the onnxruntime backend makes of it, both
with our library.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx_ir as ir

import edgebin.onnxruntime

# isort: split
import onnxruntime

from edgebin.backends.ort import optimised_model
from edgebin.bundle import ModelInfo
from edgebin.graph.load import load_model
from edgebin.graph.manifest import read_manifest
from edgebin.kernels.choose import by_model
from edgebin.kernels.select import host_paths
from edgebin.passes import choose_kernels, lower
from edgebin.profile.baselines.twin import export_twin
from edgebin.targets import load_target

_TWIN = "fp32 twin"


def _session(model: bytes, *, ours: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if ours:
        edgebin.onnxruntime.register(options)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _sessions(folder: Path) -> dict[str, onnxruntime.InferenceSession]:
    target, exported = load_target("x86-64"), load_model(folder)
    lowered = ir.from_proto(exported)
    lower(lowered, batch=1, backend="ort")
    choose_kernels(lowered, by_model(host_paths(), target.core), cores=target.cores)
    manifest = read_manifest(folder)
    info = ModelInfo(id=manifest.model, config=manifest.config, source_sha256="0" * 64)
    with tempfile.TemporaryDirectory() as scratch:
        twin = export_twin(info, Path(scratch) / "twin.onnx").path.read_bytes()
    return {
        _TWIN: _session(twin, ours=False),
        "exported": _session(exported.SerializeToString(), ours=True),
        "compiled": _session(optimised_model(lowered).SerializeToString(), ours=True),
    }


def _best_ms(made: dict[str, onnxruntime.InferenceSession], turns: int) -> dict[str, float]:
    [value] = next(iter(made.values())).get_inputs()
    image = np.random.default_rng(0).standard_normal((1, *value.shape[1:])).astype(np.float32)
    best = dict.fromkeys(made, float("inf"))
    for turn in range(turns + 1):
        for name, one in made.items():
            start = time.perf_counter()
            one.run(None, {value.name: image})
            if turn:  # the first touches memory for the first time
                best[name] = min(best[name], 1e3 * (time.perf_counter() - start))
    return best


def main(words: Sequence[str] | None = None) -> None:
    """Measures and prints; `words` are the command line's if None."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", help="what `edgebin export` wrote")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args(words)
    report: dict[str, dict[str, dict[str, float]]] = {}
    for folder in arguments.folders:
        best = _best_ms(_sessions(folder), arguments.turns)
        twin = best[_TWIN]
        report[folder.name] = {name: {"best_ms": ms, "speedup_vs_fp32": twin / ms} for name, ms in best.items()}
        print(f"{folder.name}: " + ", ".join(f"{name} {ms:.2f} ms ({twin / ms:.1f}x)" for name, ms in best.items()))
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"onnxruntime": onnxruntime.__version__, "models": report}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
