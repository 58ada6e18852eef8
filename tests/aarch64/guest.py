"""Runs in the emulated arm64 Python: each model of a manifest on the runtime it names, results to a file.

A job is {"runtime", "model", "library" or null, "inputs": x.npz, "outputs": y.npz}; arrays are named as the model's
inputs and outputs. An array may have more rows than the model's batch: the model is run on one batch after another.
"""

import json
import sys

import numpy as np


def run_onnxruntime(job, batches):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    if job["library"]:
        options.register_custom_ops_library(job["library"])
    session = onnxruntime.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    batch = session.get_inputs()[0].shape[0]
    return [dict(zip(names, session.run(None, feed), strict=True)) for feed in batches(batch)]


def run_tflite(module, job, batches):
    delegates = [module.load_delegate(job["library"])] if job["library"] else []
    interpreter = module.Interpreter(job["model"], experimental_delegates=delegates, num_threads=1)
    interpreter.allocate_tensors()
    inputs = {detail["name"]: detail for detail in interpreter.get_input_details()}
    results = []
    for feed in batches(next(iter(inputs.values()))["shape"][0]):
        for name, array in feed.items():
            interpreter.set_tensor(inputs[name]["index"], array)
        interpreter.invoke()
        results.append(
            {detail["name"]: interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()}
        )
    return results


def run(job):
    feeds = dict(np.load(job["inputs"]))
    rows = len(next(iter(feeds.values())))

    def batches(size):
        return [{name: array[at : at + size] for name, array in feeds.items()} for at in range(0, rows, size)]

    if job["runtime"] == "onnxruntime":
        results = run_onnxruntime(job, batches)
    elif job["runtime"] == "tflite_runtime":
        from tflite_runtime import interpreter

        results = run_tflite(interpreter, job, batches)
    else:
        from ai_edge_litert import interpreter

        results = run_tflite(interpreter, job, batches)
    np.savez(job["outputs"], **{name: np.concatenate([result[name] for result in results]) for name in results[0]})


if __name__ == "__main__":
    with open(sys.argv[1]) as manifest:
        for entry in json.load(manifest):
            try:
                run(entry)
            except Exception as error:  # noqa: BLE001 (told to the host, job by job)
                np.savez(entry["outputs"], error=np.array(f"{type(error).__name__}: {error}"))
