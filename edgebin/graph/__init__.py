"""The `edgebin` ONNX domain, the way from PyTorch to it, and the accounting of what a graph costs."""
