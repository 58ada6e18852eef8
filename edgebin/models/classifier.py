"""What binary and full-precision transformers have in common: embeddings, stages of layers, norm, classifier."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from edgebin.models.config import Config, ModelConfig
from edgebin.nn.freeze import inference_form
from edgebin.nn.norm import BatchNormTokens
from edgebin.nn.patches import dense


class ImageClassifier(nn.Module):
    """Images [B, channels, image_size, image_size] float → logits [B, classes], as `config` describes it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config


class Classifier(ImageClassifier):
    """An image classifier whose parameters are named as in Hugging Face's ViT: `vit.…`, `classifier`.

    The last layer, `classifier`, stays full precision in every published binary transformer. It sees the class token
    where there is one, else the mean over tokens.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        embeddings: nn.Module,
        encoder: nn.Module,
        norm: nn.Module,
        class_token: bool = False,
    ) -> None:
        super().__init__(config)
        self.class_token = class_token
        self.vit = Backbone(embeddings, encoder, norm)
        self.classifier = nn.Linear(config.dims[-1], config.classes)
        nn.init.trunc_normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, pixel_values: Tensor) -> Tensor:
        tokens = self.vit(pixel_values)
        features = tokens[:, 0] if self.class_token else tokens.mean(1)
        logits: Tensor = self.classifier(features)
        return logits

    def inference_form(self) -> Classifier:
        """The same, folded: a batch norm commutes with the mean over tokens and goes into `classifier`."""
        norm = self.vit.layernorm
        if isinstance(norm, BatchNormTokens):
            gain, shift = norm.gain_and_shift()
            weight = self.classifier.weight.detach().double()
            self.classifier = dense(weight * gain, self.classifier.bias.detach().double() + weight @ shift)
            self.vit.layernorm = nn.Identity()
        inference_form(self.vit)
        return self


class Backbone(nn.Module):
    """Images → normed tokens [B, N, C]."""

    def __init__(self, embeddings: nn.Module, encoder: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.encoder = encoder
        self.layernorm = norm

    def forward(self, images: Tensor) -> Tensor:
        tokens: Tensor = self.layernorm(self.encoder(self.embeddings(images)))
        return tokens


class Encoder(nn.Module):
    """The layers of all stages in one list, and `patch_embed1` … between the stages, as checkpoints name them.

    Args:
        config: says how many layers each stage has.
        layer: makes a layer of a stage.
        downsampling: makes the step into a stage.
    """

    def __init__(
        self,
        config: Config,
        layer: Callable[[Config, int], nn.Module],
        downsampling: Callable[[Config, int], nn.Module],
    ) -> None:
        super().__init__()
        self.depths = config.depths
        self.layer = nn.ModuleList(
            layer(config, stage) for stage, depth in enumerate(config.depths) for _ in range(depth)
        )
        for stage in range(1, config.stages):
            self.add_module(f"patch_embed{stage}", downsampling(config, stage))

    def forward(self, x: Tensor) -> Tensor:
        layers = iter(self.layer)
        for stage, depth in enumerate(self.depths):
            if stage > 0:
                x = self.get_submodule(f"patch_embed{stage}")(x)
            for _ in range(depth):
                x = next(layers)(x)
        return x
