"""Runs in the emulated arm64 Python: each model of a manifest on the runtime it names, results to a file.

A job is {"runtime", "model", "library" or null, "inputs": x.npz, "outputs": y.npz, "marks" or null}; arrays are named
as the model's inputs and outputs. An array may have more rows than the model's batch: the model is run on one batch
after another. With `marks`, the library of kernels/profiler/node_marks.c, the last run is marked node by node, and the
names of the nodes are written beside the outputs.
"""

import ctypes
import importlib
import json
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2]))
import edgebin  # noqa: F401 (before onnxruntime)

TFLITE = {"tflite_runtime": "tflite_runtime.interpreter", "ai_edge_litert": "ai_edge_litert.interpreter"}


class OnnxModel:
    """A model in onnxruntime, with our custom ops where a library of them is given."""

    def __init__(self, path, library):
        # There is no edgebin here to switch its telemetry off: the environment of the emulated Python does.
        onnxruntime = importlib.import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        if library:
            options.register_custom_ops_library(library)
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.names = [output.name for output in self.session.get_outputs()]
        rows = self.session.get_inputs()[0].shape[0]
        self.batch = rows if isinstance(rows, int) else None  # a name where the batch is free

    def feed(self, arrays):
        self.arrays = arrays

    def infer(self):
        self.outputs = self.session.run(None, self.arrays)

    def results(self):
        return dict(zip(self.names, self.outputs, strict=True))


class TfliteModel:
    """A model in one of the two TFLite packages, with our delegate where its library is given."""

    def __init__(self, module, path, library):
        delegates = [module.load_delegate(library)] if library else []
        self.interpreter = module.Interpreter(path, experimental_delegates=delegates, num_threads=1)
        self.interpreter.allocate_tensors()
        self.inputs = {detail["name"]: detail for detail in self.interpreter.get_input_details()}
        self.batch = next(iter(self.inputs.values()))["shape"][0]

    def feed(self, arrays):
        for name, array in arrays.items():
            self.interpreter.set_tensor(self.inputs[name]["index"], array)

    def infer(self):
        self.interpreter.invoke()

    def results(self):
        details = self.interpreter.get_output_details()
        return {detail["name"]: self.interpreter.get_tensor(detail["index"]) for detail in details}


class NodeMarks:
    """Has the library tell the emulator which node runs; `infer` is then one counted inference."""

    def __init__(self, path, library):
        self.marks = ctypes.CDLL(path)
        self.marks.eb_marks_name.restype = ctypes.c_char_p
        if library:  # the same file as the runtime's, so the same library
            observer = ctypes.cast(self.marks.eb_marks_observer, ctypes.c_void_p)
            ctypes.CDLL(library).edgebin_observe(observer, None)

    def count(self, infer):
        begin, end = self.marks.eb_marks_begin, self.marks.eb_marks_end
        begin()
        infer()
        if end() != self.marks.eb_marks_count():
            raise RuntimeError("not all nodes ran")
        return [self.marks.eb_marks_name(index).decode() for index in range(self.marks.eb_marks_count())]


def run(job):
    """Runs one job and writes its outputs."""
    if job["runtime"] == "onnxruntime":
        model = OnnxModel(job["model"], job["library"])
    else:
        model = TfliteModel(importlib.import_module(TFLITE[job["runtime"]]), job["model"], job["library"])
    marks = NodeMarks(job["marks"], job["library"]) if job["marks"] else None
    arrays = dict(np.load(job["inputs"]))
    results = []
    rows = len(next(iter(arrays.values())))
    batch = model.batch or rows
    for at in range(0, rows, batch):
        model.feed({name: array[at : at + batch] for name, array in arrays.items()})
        model.infer()
        results.append(model.results())
    outputs = {name: np.concatenate([result[name] for result in results]) for name in results[0]}
    if marks:
        outputs["nodes"] = np.array(marks.count(model.infer))
    np.savez(job["outputs"], **outputs)


if __name__ == "__main__":
    with open(sys.argv[1]) as manifest:
        for entry in json.load(manifest):
            try:
                run(entry)
            except Exception as error:  # noqa: BLE001 (told to the host, job by job)
                np.savez(entry["outputs"], error=np.array(f"{type(error).__name__}: {error}"))
