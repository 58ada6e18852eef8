"""The bundle, `.ebz`: one file with everything a board needs to run a model, and the means to check it there.

A zip archive without compression (so the same input gives the same bytes with every zlib, and reading it cannot blow
up), holding `manifest.json` and what that lists: the model in its runtime's format, our library for that runtime,
`runner`, `io.txt`, `lib/…`, `golden/…`.
"""

from edgebin.bundle.manifest import Manifest, ModelInfo, Operation, TensorSpec, Tolerance
from edgebin.bundle.npz import npz_bytes, read_npz
from edgebin.bundle.read import Bundle, open_bundle
from edgebin.bundle.write import write_bundle

__all__ = [
    "Bundle",
    "Manifest",
    "ModelInfo",
    "Operation",
    "TensorSpec",
    "Tolerance",
    "npz_bytes",
    "open_bundle",
    "read_npz",
    "write_bundle",
]
