"""What a bundle is compared with: its full-precision twin in onnxruntime, TFLite and TVM, and LCE's interpreter."""
