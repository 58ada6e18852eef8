"""The onnxruntime backend: an ONNX file for stock onnxruntime, and a library with our kernels that it may load."""

from edgebin.backends.ort.library import build_library

__all__ = ["build_library"]
