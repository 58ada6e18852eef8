"""The full-precision baseline that a bundle brings along: its model's twin, compiled for the same target by TVM.

It needs no runtime on the board, and TVM's library asks for less of the board's C library than onnxruntime's
does. Its products and norms are edgebin's own fp32 kernels, the rest of the graph is what TVM makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx

from edgebin.bundle.compile import CompileResult, Say, compile_bundle
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME
from edgebin.bundle.npz import read_npz
from edgebin.bundle.read import Bundle
from edgebin.bundle.source import twin_source


def full_precision_bundle(
    bundle: Bundle,
    output: Path,
    *,
    twin: onnx.ModelProto | None = None,
    fetch: bool = False,
    check: Callable[[Path], None] | None = None,
    say: Say = lambda _: None,
) -> CompileResult:
    """Writes the bundle `tvm fp32` of a bundle's model, for its target and batch, whatever its backend.

    Args:
        output: the bundle to write; it appears only after `check` has accepted it.
        twin: the twin, where the model is a network of the user's own; otherwise one with random weights is made.
        fetch: whether TVM's libraries for the target may be downloaded if they are not in the cache.
        check: called with the finished bundle under a temporary name; raises if it is not right.
        say: told about each step.

    Raises:
        InputError: edgebin knows no twin of the model.
        CompileError: one of the twin's ops cannot be lowered.
        ToolchainError: a compiler or runtime library is missing or failed.
    """
    manifest = bundle.manifest
    # One inference verifies it: under QEMU each takes half a minute.
    golden = read_npz(bundle.extracted() / GOLDEN_INPUTS_NAME)
    images = {name: array[: manifest.batch] for name, array in golden.items()}
    source = twin_source(manifest.model.id, manifest.model.config, images, twin)
    return compile_bundle(
        source, manifest.target, output, form="full-precision", batch=manifest.batch, fetch=fetch, check=check, say=say
    )
