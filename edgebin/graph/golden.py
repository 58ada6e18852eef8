"""Golden inputs and outputs: what every later stage, down to the board, is compared with.

A binary network decides by signs, and a value within rounding error of its threshold falls to either side on different
machines; in some networks one such flip changes every logit. Golden inputs are therefore chosen for which float noise
does not matter, where the network has any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import edgebin.nn.ops  # noqa: F401  (registers torch.ops.edgebin)
from edgebin.graph.export import INPUT_NAME, OUTPUT_NAME

# float32 logits of one network on two runtimes agree to this share of the largest logit, if no sign flips.
RELATIVE_TOLERANCE = 1e-4
# Noise of the test for stability, as a share of each pixel: some ten float32 roundings. One draw of it is not enough:
# in a BHViT of random weights, one image of four survived four draws of six.
_NOISE = 1e-6
_DRAWS = 4
# Noise on each sum of floats with 1-bit weights, as a share of the layer's standard deviation: pixels hardly reach
# these. Sums of 1536 terms in order are 7e-7 off on average and 4e-6 at most (BiViT's DeiT-S, random weights); with
# noise of 1e-6, an image passed on which the bundle then differed.
_SUM_NOISE = 4e-6
# How many times `samples` images are tried.
_BATCHES = 4

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Golden:
    """Inputs [samples, channels, height, width], logits [samples, classes], and for each whether noise leaves it be."""

    inputs: FloatArray
    outputs: FloatArray
    stable: tuple[bool, ...]

    @property
    def tolerance(self) -> float:
        """The absolute difference of logits that counts as equal."""
        return tolerance_for(self.outputs)

    def restricted_to(self, stable: Sequence[bool]) -> Golden:
        """The same data, with no sample stable that is not so in `stable` too."""
        return replace(self, stable=tuple(a and b for a, b in zip(self.stable, stable, strict=True)))


def tolerance_for(logits: FloatArray) -> float:
    """The absolute difference from these logits that float rounding explains."""
    return RELATIVE_TOLERANCE * max(1.0, float(np.abs(logits).max()))


def make_golden(frozen: nn.Module, image_shape: tuple[int, int, int], *, samples: int, seed: int) -> Golden:
    """Draws normal noise images from `seed` and keeps those whose logits survive perturbations of a millionth.

    Up to four times as many images as needed are tried. If too few are stable, unstable ones fill up and are marked.

    Args:
        frozen: the model that is exported.
        image_shape: channels, height, width.
        samples: number of images.
        seed: of the images.
    """
    generator = np.random.RandomState(seed)  # its stream is frozen, unlike that of numpy's newer generators
    chosen: list[FloatArray] = []
    spare: list[FloatArray] = []
    for _ in range(_BATCHES):
        images = generator.standard_normal((samples, *image_shape)).astype(np.float32)
        logits = run_torch(frozen, images)
        stable = _survivors(frozen, images, logits, generator)
        chosen += list(images[stable])
        spare += list(images[~stable])
        if len(chosen) >= samples:
            break
    count = min(len(chosen), samples)
    inputs = np.stack([*chosen[:count], *spare[: samples - count]])
    outputs = logits if np.array_equal(inputs, images) else run_torch(frozen, inputs)
    return Golden(inputs, outputs, tuple(index < count for index in range(samples)))


def _survivors(
    frozen: nn.Module, images: FloatArray, logits: FloatArray, generator: np.random.RandomState
) -> npt.NDArray[np.bool_]:
    """Which images keep their logits under every draw of the noise, [samples]."""
    stable = np.ones(len(images), np.bool_)
    for _ in range(_DRAWS):
        noise = 1 + _NOISE * generator.uniform(-1, 1, images.shape)
        if stable.any():
            noisy = (images * noise).astype(np.float32)[stable]
            with _SumNoise(generator):
                moved = np.abs(run_torch(frozen, noisy) - logits[stable]).max(axis=1)
            stable[stable] = moved <= tolerance_for(logits)
    return stable


class _SumNoise(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Moves every result of `signed_linear` by noise: other runtimes add its floats in another order."""

    def __init__(self, generator: np.random.RandomState) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._random = torch.Generator().manual_seed(int(generator.randint(2**31)))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is not torch.ops.edgebin.signed_linear.default:
            return result
        noise = 2 * torch.rand(result.shape, generator=self._random) - 1
        return result + _SUM_NOISE * result.std() * noise


def run_torch(module: nn.Module, images: FloatArray) -> FloatArray:
    """Logits of a module that is in evaluation mode."""
    with torch.inference_mode():
        logits: FloatArray = module(torch.from_numpy(images)).numpy()
    return logits


def write_golden(golden: Golden, folder: Path) -> None:
    """Writes `inputs.npz` and `outputs.npz`; the same data gives the same bytes."""
    folder.mkdir()
    np.savez(folder / "inputs.npz", **{INPUT_NAME: golden.inputs})
    np.savez(folder / "outputs.npz", **{OUTPUT_NAME: golden.outputs})
