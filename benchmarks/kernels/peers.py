"""What our kernels are compared with: onnxruntime here, published counts of others for ARM."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import edgebin  # noqa: F401 (before onnxruntime: turns its telemetry off)

# isort: split
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

from benchmarks.kernels.shapes import Call

Run = Callable[[], object]
Array = np.ndarray[Any, np.dtype[Any]]
_PRODUCTS = ("b1_gemm", "b1_gemm_ternary", "f32_gemm", "w1_gemm", "w1i8_gemm")
_ATTENTIONS = ("b1_attention", "b1_relative_attention", "b1_biased_attention")


def published(call: Call) -> list[dict[str, Any]]:
    """What others were counted to execute for the same product."""
    content = tomllib.loads(Path(__file__).with_name("peers.toml").read_text())
    if call.op != "b1_gemm" and not call.part:
        return []
    same = [peer for peer in content["peer"] if tuple(peer["shape"]) == call.shape and peer["out"] == call.out]
    return [{**peer, "source": content["source"]} for peer in same]


def onnxruntime_peers(call: Call) -> dict[str, Run]:
    """The same layer in onnxruntime, one thread: `fp32`, and for products `int8 dynamic` and `int8 static`.

    A product is a MatMul alone: bias, activation and residual, which ours include, are left out in its favour.
    """
    random = np.random.default_rng(0)
    if call.op in _PRODUCTS:
        m, k, n = call.shape
        a, w = random.standard_normal((m, k), np.float32), random.standard_normal((k, n), np.float32)
        return {"fp32": _matmul(a, w), "int8 dynamic": _dynamic_int8(a, w), "int8 static": _static_int8(a, w)}
    if call.op in _ATTENTIONS and not call.part:
        return {"fp32": _attention(call.sizes, random)}
    if call.op == "b1_conv":
        return {"fp32": _convolution(call.sizes, random)}
    return {}


def _matmul(a: Array, w: Array) -> Run:
    return _session([helper.make_node("MatMul", ["a", "w"], ["y"])], {"a": a}, {"w": w})


def _dynamic_int8(a: Array, w: Array) -> Run:
    scale, quantized = _int8(w)
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["a"], ["q", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["q", "w", "zero"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["scale", "w_scale"], ["both"]),
        helper.make_node("Mul", ["float", "both"], ["y"]),
    ]
    return _session(nodes, {"a": a}, {"w": quantized, "w_scale": scale})


def _static_int8(a: Array, w: Array) -> Run:
    scale, quantized = _int8(w)
    constants = {"w": quantized, "w_scale": scale, "a_scale": np.float32(4 / 127), "a_zero": np.uint8(128)}
    nodes = [
        helper.make_node("QuantizeLinear", ["a", "a_scale", "a_zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "a_scale", "a_zero"], ["a_again"]),
        helper.make_node("DequantizeLinear", ["w", "w_scale"], ["w_again"]),
        helper.make_node("MatMul", ["a_again", "w_again"], ["y"]),
    ]
    return _session(nodes, {"a": a}, constants)


def _int8(w: Array) -> tuple[Array, Array]:
    scale = np.float32(np.abs(w).max() / 127)
    return np.asarray(scale), np.rint(w / scale).astype(np.int8)


def _attention(sizes: dict[str, int], random: np.random.Generator) -> Run:
    heads, dim, nq, nkv = (sizes[name] for name in ("heads", "head_dim", "nq", "nkv"))
    inputs = {
        "q": random.standard_normal((heads, nq, dim), np.float32),
        "k": random.standard_normal((heads, dim, nkv), np.float32),
        "v": random.standard_normal((heads, nkv, dim), np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["q", "k"], ["s"]),
        helper.make_node("Softmax", ["s"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["y"]),
    ]
    return _session(nodes, inputs, {})


def _convolution(sizes: dict[str, int], random: np.random.Generator) -> Run:
    kernel, dilation, groups = sizes["kernel"], sizes["dilation"], sizes["groups"]
    x = random.standard_normal((1, sizes["c"], sizes["h"], sizes["w"]), np.float32)
    w = random.standard_normal((sizes["n"], sizes["c"] // groups, kernel, kernel), np.float32)
    padding = [dilation * (kernel // 2)] * 4
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=groups, dilations=[dilation] * 2, pads=padding)
    return _session([node], {"x": x}, {"w": w})


def _session(nodes: Sequence[Any], inputs: dict[str, Array], constants: dict[str, Any]) -> Run:
    """One run of a small graph on one thread, inputs and outputs bound beforehand: no copies, little Python."""
    graph = helper.make_graph(
        nodes,
        "benchmark",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            helper.make_tensor(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape, value.tobytes(), raw=True
            )
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_cpu_input(name, value)
    result = session.run(None, inputs)[0]
    binding.bind_ortvalue_output("y", ort.OrtValue.ortvalue_from_numpy(np.zeros_like(result)))
    return lambda: session.run_with_iobinding(binding)
