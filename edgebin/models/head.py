"""The end of every classifier here: norm, mean over tokens or class token, dense layer."""

from __future__ import annotations

from torch import Tensor, nn

from edgebin.models.config import ViTConfig
from edgebin.nn.norm import BatchNormTokens
from edgebin.nn.patches import dense


class Classifier(nn.Module):
    """Images → logits through `vit` (images → normed tokens) and `classifier`, the last layer, in full precision."""

    config: ViTConfig
    vit: nn.Module
    classifier: nn.Linear

    def forward(self, pixel_values: Tensor) -> Tensor:
        tokens = self.vit(pixel_values)
        features = tokens[:, 0] if self.config.class_token else tokens.mean(1)
        logits: Tensor = self.classifier(features)
        return logits


def fold_head(norm: nn.Module, classifier: nn.Linear) -> tuple[nn.Module, nn.Linear]:
    """Folds a batch norm through the mean over tokens, which it commutes with, into the classifier."""
    if not isinstance(norm, BatchNormTokens):
        return norm, classifier
    gain, shift = norm.gain_and_shift()
    weight = classifier.weight.detach().double()
    return nn.Identity(), dense(weight * gain, classifier.bias.detach().double() + weight @ shift)
