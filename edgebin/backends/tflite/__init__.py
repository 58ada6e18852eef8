"""The TFLite backend: `.tflite` files for Larq Compute Engine and TFLite's runtimes, written without TensorFlow.

`models` writes them, `build` makes the library that runs their custom ops. Nothing is imported here: on a board, where
the library is loaded, there are neither ONNX nor flatbuffers.
"""
