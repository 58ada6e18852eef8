"""PyTorch definitions of the published systems, readers of their checkpoints, and the list of both."""
