"""scikit-learn's handwritten digits (UCI, 1797 real scans of 8×8 pixels) as images for a vision transformer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

IMAGE_SIZE = 32
CLASSES = 10
_TEST_SHARE = 0.25
_SPLIT_SEED = 0
# Mean and standard deviation of the training pixels, on the scale 0 … 1.
MEAN, STD = 0.305, 0.324


@dataclass(frozen=True)
class Digits:
    """Images [n, 3, 32, 32] float32, normalised, and their classes [n] int64; the test part is never trained on."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def load() -> Digits:
    """The same split on every call: stratified, a quarter held out for the test."""
    scans, labels = load_digits(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(
        scans, labels, test_size=_TEST_SHARE, random_state=_SPLIT_SEED, stratify=labels
    )
    return Digits(_pixel_values(train), _labels(train_labels), _pixel_values(test), _labels(test_labels))


def _pixel_values(scans: NDArray[np.float64]) -> NDArray[np.float32]:
    """Scans [n, 64] of values 0 … 16 → images, enlarged fourfold, the same in all three colours."""
    grey = torch.from_numpy(scans.reshape(-1, 1, 8, 8) / 16).float()
    large = torch.nn.functional.interpolate(grey, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", align_corners=False)
    return ((large - MEAN) / STD).expand(-1, 3, -1, -1).numpy().copy()


def _labels(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return labels.astype(np.int64)
