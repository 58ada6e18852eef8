"""The lines by which a user's own program runs what an unpacked bundle holds."""

from __future__ import annotations

import re
from pathlib import Path

from edgebin.bundle.manifest import PLUGIN_NAMES, Manifest

_ONNXRUNTIME = """\
import os; os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import; onnxruntime uploads usage data otherwise
import onnxruntime
options = onnxruntime.SessionOptions()
options.register_custom_ops_library({plugin!r})
session = onnxruntime.InferenceSession({model!r}, options)
{result}, = session.run([{output!r}], {{{input!r}: {images}}})"""

_TFLITE = """\
from ai_edge_litert.interpreter import Interpreter, load_delegate  # or: from tflite_runtime.interpreter import …
interpreter = Interpreter({model!r}{delegate})
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], {images})
interpreter.invoke()
{result} = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])"""

_RUNNER = "{runner} --input IN.npz --output OUT.npz"


def usage(manifest: Manifest, folder: Path) -> str:
    """Python for onnxruntime and TFLite, a command line for TVM. Variables are named as the first input and output."""
    absolute = folder.absolute()
    given, wanted = manifest.inputs[0].name, manifest.outputs[0].name
    names = {
        "input": given,
        "output": wanted,
        "images": _identifier(given),
        "result": _identifier(wanted),
        "model": str(absolute / manifest.model_name),
        "runner": absolute / "runner",
    }
    plugin = PLUGIN_NAMES.get(manifest.backend)
    if manifest.backend == "ort":
        return _ONNXRUNTIME.format(**names, plugin=str(absolute / str(plugin)))
    if manifest.backend == "tflite":
        has_plugin = plugin in manifest.files
        delegate = f", experimental_delegates=[load_delegate({str(absolute / str(plugin))!r})]" if has_plugin else ""
        return _TFLITE.format(**names, delegate=delegate)
    return _RUNNER.format(**names)


def _identifier(name: str) -> str:
    return re.sub(r"\W|^(?=\d)", "_", name)
