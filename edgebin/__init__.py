"""edgebin takes a trained binary vision transformer from PyTorch to an ARM board, and proves what it gained there."""

import os

# onnxruntime >= 1.29 uploads telemetry unless this is in the environment before its library is first loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
