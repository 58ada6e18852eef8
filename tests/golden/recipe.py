"""Parameters and inputs of the goldens, as a function of a parameter's name and shape ("edgebin-golden-v1").

`numpy.random.RandomState` is a frozen stream, so the values are the same with every numpy. The `.npz` files beside this
one hold what the authors' code makes of them: `logits_f64`, `logits_f32`, and in `ov/<name>` the parameters that differ
from the recipe.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

_IMAGE_SEED = 20250302


def param(name: str, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """The value of a parameter or buffer, float32 (int64 for a batch norm's counter)."""
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("init_state"):
        return np.ones(shape, np.float32)
    random = np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)
    return np.asarray(_shaped(name, shape, random.standard_normal(shape)), np.float32).reshape(shape)


def image(batch: int = 2, size: int = 224) -> NDArray[np.float32]:
    """Normalised images [batch, 3, size, size]."""
    return np.random.RandomState(_IMAGE_SEED).standard_normal((batch, 3, size, size)).astype(np.float32)


def _shaped(name: str, shape: tuple[int, ...], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    *_, parent, last = ("", *name.split("."))
    of_context = "norm_context" in name
    of_residual_stream = "layernorm" in name or "norm0" in name
    if last == "running_mean":
        return (0.02 if of_context else 0.2) * noise
    if last == "running_var":
        low, spread = (0.02, 0.02) if of_context else (6.0, 2.0) if of_residual_stream else (0.4, 0.4)
        return low + spread * np.abs(noise)
    if last == "att_prob_clip":
        return 0.03 * (1 + 0.2 * noise)
    if last in ("att_prob_clip2", "att_prob_clip3"):
        return (1.2 if last == "att_prob_clip2" else 1.5) + 0.1 * noise
    if parent == "att_prob_quantizer":
        return 0.04 * (1 + 0.2 * noise) if last == "alpha" else 0.1 * noise
    if last in ("a1", "parm"):
        return 0.5 + 0.2 * noise
    if last == "alpha":
        return 0.3 + 0.1 * noise if parent == "layerscale" else 0.2 * noise
    if parent == "prelu":
        return 0.25 + 0.1 * noise
    if last == "scaling_factor":
        return 0.05 * (1 + 0.5 * noise)  # a few are negative
    if last == "relative_position_bias_table":
        return 0.5 * noise
    if last in ("position_embeddings", "pos_embed", "cls_token") or last.startswith("move") or parent == "move":
        return 0.2 * noise
    if last == "weight" and len(shape) == 1:
        return 1.0 + 0.2 * noise
    if last == "weight":
        return noise / np.sqrt(np.prod(shape[1:]))
    if last == "bias":
        return 0.1 * noise
    raise KeyError(f"no rule for {name}")
