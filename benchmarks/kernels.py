"""The kernels of this host against onnxruntime in fp32: one thread, interleaved, JSON on stdout and ratios on stderr.

Shapes are the GEMMs of DeiT-S, a stage of the published pyramids, and the attention of DeiT-S. Each round times every
contender once, so that a change of clock or load hits all alike; the ratios are those of medians.

    python benchmarks/kernels.py [--rounds 40] > kernels.json
"""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import edgebin  # noqa: F401 (before onnxruntime: turns its telemetry off)

# isort: split
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

from edgebin.kernels.build import build_shared_library
from edgebin.kernels.layout import pack_b1_weights, pack_f32_weights
from edgebin.kernels.packing import pack_bits
from edgebin.kernels.select import host_paths
from edgebin.kernels.variants import find_variant
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.kernels.abi import Kernels

GEMMS = [(196, 384, 1536), (196, 1536, 384), (196, 384, 384), (3136, 64, 256), (49, 512, 2048), (1, 384, 1000)]
Contenders = dict[str, Callable[[], Any]]


def session(nodes: list[Any], inputs: dict[str, Any], outputs: list[str], weights: dict[str, Any]) -> Callable[[], Any]:
    """One run of a small onnxruntime graph on one thread."""
    graph = helper.make_graph(
        nodes,
        "benchmark",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [helper.make_tensor(n, TensorProto.FLOAT, w.shape, w.tobytes(), raw=True) for n, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    run = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: run.run(None, inputs)


def gemm_contenders(paths: dict[str, Kernels], m: int, k: int, n: int) -> Contenders:
    """MatMul of [m, k] by [k, n]; ours with scale and bias, to floats or to the next layer's signs."""
    random = np.random.default_rng(0)
    a, w = random.standard_normal((m, k), np.float32), random.standard_normal((n, k), np.float32)
    scale, bias = random.standard_normal(n, np.float32), random.standard_normal(n, np.float32)
    node = helper.make_node("MatMul", ["a", "w"], ["c"])
    contenders: Contenders = {"onnxruntime fp32": session([node], {"a": a}, ["c"], {"w": w.T.copy()})}
    bits = pack_bits(a)
    for name, kernels in paths.items():
        b1 = pack_b1_weights(pack_bits(w), find_variant("b1_gemm", name))
        f32 = pack_f32_weights(w, find_variant("f32_gemm", name))

        affine = {"scale": scale, "bias": bias}
        contenders[f"{name} b1_gemm to f32"] = kernels.b1_gemm(bits, b1, k, n, **affine)
        contenders[f"{name} b1_gemm to bits"] = kernels.b1_gemm(bits, b1, k, n, out=False, threshold=[bias], **affine)
        contenders[f"{name} f32_gemm"] = kernels.f32_gemm(a, f32, n)
    return contenders


def rows_contenders(paths: dict[str, Kernels], m: int, n: int) -> Contenders:
    """LayerNorm's affine, PReLU and a residual in onnxruntime; the same with signs packed in ours."""
    random = np.random.default_rng(0)
    x, skip = random.standard_normal((m, n), np.float32), random.standard_normal((m, n), np.float32)
    scale, bias, slope = (random.standard_normal(n, np.float32) for _ in range(3))
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["affine"]),
        helper.make_node("PRelu", ["affine", "slope"], ["active"]),
        helper.make_node("Add", ["active", "skip"], ["y"]),
    ]
    weights = {"scale": scale, "bias": bias, "slope": slope}
    contenders: Contenders = {"onnxruntime fp32": session(nodes, {"x": x, "skip": skip}, ["y"], weights)}
    for name, kernels in paths.items():
        contenders[f"{name} rows"] = kernels.rows(x, skip=skip, threshold=[bias], **weights)
        contenders[f"{name} pack"] = kernels.rows(x, out=False, threshold=[bias])
    return contenders


def attention_contenders(paths: dict[str, Kernels], heads: int, head_dim: int, tokens: int) -> Contenders:
    """Softmax attention of one image; ours with binary operands and one binary map."""
    random = np.random.default_rng(0)
    q, k, v = (random.standard_normal((tokens, heads * head_dim), np.float32) for _ in range(3))
    heads_of = {name: x.reshape(tokens, heads, head_dim).transpose(1, 0, 2) for name, x in (("q", q), ("v", v))}
    heads_of["k"] = k.reshape(tokens, heads, head_dim).transpose(1, 2, 0)
    nodes = [
        helper.make_node("MatMul", ["q", "k"], ["s"]),
        helper.make_node("Softmax", ["s"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["c"]),
    ]
    inputs = {name: np.ascontiguousarray(x) for name, x in heads_of.items()}
    contenders: Contenders = {"onnxruntime fp32": session(nodes, inputs, ["c"], {})}
    scores = 2 * np.arange(head_dim + 1) - head_dim
    exp_table = np.rint(np.exp((scores - head_dim) / np.sqrt(head_dim)) * 2**32).astype(np.int64)
    limit = np.broadcast_to(exp_table * 200, (1, heads, head_dim + 1)).copy()
    packed = [pack_bits(x) for x in (q, k, v)]
    for name, kernels in paths.items():
        contenders[f"{name} b1_attention"] = kernels.b1_attention(*packed, exp_table, limit)
    return contenders


def measure(contenders: Contenders, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each run, after one warm-up each."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter_ns()
            run()
            times[name].append((time.perf_counter_ns() - start) / 1e6)
    return times


def main() -> None:
    """Runs all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        library = build_shared_library(Path(folder) / "kernels.so", find_compiler(load_target("x86-64")))
        paths = {path: Kernels(ctypes.CDLL(str(library)), path) for path in host_paths() if path != "scalar"}
    cases = {f"gemm m {m} k {k} n {n}": gemm_contenders(paths, m, k, n) for m, k, n in GEMMS}
    cases["rows m 196 n 384"] = rows_contenders(paths, 196, 384)
    for tokens, heads in ((197, 6), (49, 8)):
        cases[f"attention tokens {tokens} heads {heads}"] = attention_contenders(paths, heads, 64, tokens)
    results = []
    for case, contenders in cases.items():
        times = measure(contenders, rounds)
        reference_ms = statistics.median(times["onnxruntime fp32"])
        print(f"{case}: onnxruntime fp32 {reference_ms:.3f} ms", file=sys.stderr)
        for name, samples in times.items():
            median_ms = statistics.median(samples)
            record = {"case": case, "kernel": name, "median_ms": median_ms, "min_ms": min(samples)}
            results.append({**record, "speedup": reference_ms / median_ms})
            if name != "onnxruntime fp32":
                print(f"  {name:28} {median_ms:8.3f} ms  {reference_ms / median_ms:6.2f}x", file=sys.stderr)
    json.dump(
        {"threads": 1, "rounds": rounds, "onnxruntime": ort.__version__, "results": results}, sys.stdout, indent=1
    )
    print()


if __name__ == "__main__":
    main()
