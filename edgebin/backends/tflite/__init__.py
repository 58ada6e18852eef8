"""The TFLite backend: `.tflite` files for Larq Compute Engine and TFLite's runtimes, written without TensorFlow."""
