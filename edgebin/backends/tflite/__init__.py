"""The TFLite backend: `.tflite` files for Larq Compute Engine and TFLite's runtimes, written without TensorFlow."""

from edgebin.backends.tflite.models import TfliteModel, build_float_model, build_lce_model, build_model

__all__ = ["TfliteModel", "build_float_model", "build_lce_model", "build_model"]
