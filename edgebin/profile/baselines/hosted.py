"""A program: runs a `.tflite` file on a runtime that Python hosts, with the protocol of edgebin's runner.

    hosted.py RUNTIME MODEL INPUT [--threads N] [--delegate LIBRARY] [--xnnpack] [--indirect] [--output FILE]

RUNTIME is tflite_runtime, ai_edge_litert or larq_compute_engine. INPUT and FILE are raw little-endian float32. Prints
one JSON line when the model is loaded; then each line `run N` on stdin gives one with the times of N inferences, and
CLOCK_MONOTONIC before the first and after the last. It is started by its path and imports nothing of edgebin, so that
memory and load time are the runtime's own.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.machinery
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

LCE = "larq_compute_engine"
Invoke = Callable[[], None]
Result = Callable[[], Any]


def main() -> None:
    """Loads, then serves until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runtime")
    parser.add_argument("model", type=Path)
    parser.add_argument("input", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--delegate")
    parser.add_argument("--xnnpack", action="store_true", help="for LCE, whose float ops do without it otherwise")
    parser.add_argument("--indirect", action="store_true", help="for LCE: convolutions without im2col")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    began = time.perf_counter_ns()
    load = _load_lce if options.runtime == LCE else _load_tflite
    invoke, result = load(options)
    _say(load_ns=time.perf_counter_ns() - began)
    for line in sys.stdin:
        count = int(line.removeprefix("run "))
        begin_ns = time.perf_counter_ns()  # CLOCK_MONOTONIC on Linux, which is the board's clock (docs/board.md)
        samples_ns = [_timed(invoke) for _ in range(count)]
        _say(samples_ns=samples_ns, begin_ns=begin_ns, end_ns=time.perf_counter_ns())
    if options.output:
        invoke()
        np.asarray(result(), np.float32).tofile(options.output)


def _load_tflite(options: argparse.Namespace) -> tuple[Invoke, Result]:
    module = importlib.import_module(f"{options.runtime}.interpreter")
    delegates = [module.load_delegate(options.delegate)] if options.delegate else None
    interpreter = module.Interpreter(str(options.model), num_threads=options.threads, experimental_delegates=delegates)
    interpreter.allocate_tensors()
    wanted, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.set_tensor(wanted["index"], np.fromfile(options.input, np.float32).reshape(wanted["shape"]))
    return interpreter.invoke, lambda: interpreter.get_tensor(given["index"])


def _load_lce(options: argparse.Namespace) -> tuple[Invoke, Result]:
    """LCE's interpreter alone: importing its package would import TensorFlow."""
    spec = importlib.util.find_spec(LCE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package {LCE} is not installed")
    name = "interpreter_wrapper_lite"
    path = Path(spec.origin).parent / "tflite" / "python" / f"{name}.so"
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, loader, origin=str(path)))
    loader.exec_module(module)
    reference = False  # LCE's own word for kernels that are not optimised
    interpreter = module.LiteInterpreter(
        options.model.read_bytes(), options.threads, reference, options.indirect, options.xnnpack
    )
    images = np.fromfile(options.input, np.float32).reshape(interpreter.input_shapes[0])
    results: list[Any] = []

    def invoke() -> None:
        results[:] = interpreter.predict([images])

    return invoke, lambda: results[0]


def _timed(invoke: Invoke) -> int:
    began = time.perf_counter_ns()
    invoke()
    return time.perf_counter_ns() - began


def _say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
