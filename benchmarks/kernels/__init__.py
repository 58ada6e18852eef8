"""Every kernel on every shape that networks have, against onnxruntime here and instruction by instruction on ARM."""
