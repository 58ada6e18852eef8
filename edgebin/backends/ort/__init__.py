"""The onnxruntime backend: an ONNX file for stock onnxruntime, and a library with our kernels that it may load."""

from edgebin.backends.ort.library import LIBRARY_NAME, build_library, cached_library
from edgebin.backends.ort.model import optimised_model

__all__ = ["LIBRARY_NAME", "build_library", "cached_library", "optimised_model"]
