"""What our kernels save inside onnxruntime: each export folder against its full-precision twin, on one thread.

    python -m benchmarks.onnxruntime_sessions reactdeit-small bhvit-small

Sessions take turns, one inference each, and the least of all turns counts: a busy machine slows a turn, never speeds
one up. `exported` is the file that `edgebin export` wrote, `compiled` what the onnxruntime backend makes of it, both
with our library.
"""

from __future__ import annotations

import argparse
import tempfile
import time
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
from edgebin.profile.twin import export_twin
from edgebin.targets import load_target


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
        "fp32 twin": _session(twin, ours=False),
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


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", help="what `edgebin export` wrote")
    parser.add_argument("--turns", type=int, default=200)
    arguments = parser.parse_args()
    for folder in arguments.folders:
        best = _best_ms(_sessions(folder), arguments.turns)
        twin = best["fp32 twin"]
        print(f"{folder.name}: " + ", ".join(f"{name} {ms:.2f} ms ({twin / ms:.1f}x)" for name, ms in best.items()))


if __name__ == "__main__":
    _main()
