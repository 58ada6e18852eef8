"""Trains the demo's two networks on handwritten digits: a fully binary vision transformer and its full-precision twin.

    python examples/digits/train.py --output examples/digits/checkpoints

Seeded, on two CPU cores, in less than ten minutes. Both are trained from scratch on the same images; the twin takes
more epochs, since it has no norms over the batch to speed it up. The weights saved are those of the last epoch: the
test part is only ever used for the accuracy printed at the end.

The number of threads changes the order of additions, and so the weights; the checkpoints beside this file were trained
with `--threads 1`.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import data
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.nn import functional

from edgebin.models.checkpoint import save_checkpoint
from edgebin.models.config import BinaryViTConfig
from edgebin.models.registry import construct, twin_config

CONFIG = BinaryViTConfig(
    image_size=data.IMAGE_SIZE,
    patch_size=4,
    classes=data.CLASSES,
    depths=(4,),
    dims=(64,),
    heads=(2,),
    mlp_dims=(256,),
    class_token=False,
    average_windows=(3, 5),
    layer_scale=True,
)
BATCH = 32
CLIP_RATE = 0.01  # of the learning rate: attention clips are about 0.005, and one below 0 switches its layer off
BACKGROUND = -data.MEAN / data.STD  # a black pixel, normalised


@dataclass(frozen=True)
class Recipe:
    """How long and how fast a network is trained."""

    epochs: int
    learning_rate: float
    weight_decay: float


def main() -> None:
    """Trains, saves and reports both networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "checkpoints")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    digits = data.load()

    for title, name, config, recipe in (
        ("full precision", "digits-full-precision", twin_config(CONFIG), Recipe(100, 2e-3, weight_decay=0.05)),
        ("binary", "digits-binary", CONFIG, Recipe(30, 3e-3, weight_decay=0.0)),
    ):
        torch.manual_seed(options.seed)
        model = construct(config)
        seconds = fit(model, digits, recipe, title)
        save_checkpoint(options.output / f"{name}.safetensors", model)
        print(f"{title}: test accuracy {accuracy(model, digits):.2%}, trained in {seconds:.0f} s")


def fit(model: nn.Module, digits: data.Digits, recipe: Recipe, title: str) -> float:
    """Trains `model` in place with AdamW, a warm-up of one twentieth and a cosine; returns the seconds it took."""
    images, labels = torch.from_numpy(digits.train_images), torch.from_numpy(digits.train_labels)
    steps_per_epoch = len(images) // BATCH
    steps = recipe.epochs * steps_per_epoch
    clips = [value for name, value in model.named_parameters() if name.endswith("att_prob_clip")]
    others = [value for name, value in model.named_parameters() if not name.endswith("att_prob_clip")]
    groups = [{"params": others}, {"params": clips, "lr": CLIP_RATE * recipe.learning_rate}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _schedule(step, steps))
    started = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(title, total=recipe.epochs)
        for _ in range(recipe.epochs):
            model.train()
            order = torch.randperm(len(images))
            for batch in order[: steps_per_epoch * BATCH].split(BATCH):
                logits = model(jitter(images[batch]))
                loss = functional.cross_entropy(logits, labels[batch], label_smoothing=0.1)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                scheduler.step()
            progress.advance(task)
    model.eval()
    return time.perf_counter() - started


def jitter(images: Tensor) -> Tensor:
    """Each image turned by up to 6°, scaled by up to a twentieth and moved by up to a twentieth of its width."""
    count = len(images)
    angle, scale = _uniform(count, math.radians(6)), 1 + _uniform(count, 0.05)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack([cosine, -sine, _uniform(count, 0.1), sine, cosine, _uniform(count, 0.1)], dim=1)
    grid = functional.affine_grid(rows.reshape(count, 2, 3), list(images.shape), align_corners=False)
    return functional.grid_sample(images - BACKGROUND, grid, align_corners=False) + BACKGROUND


def accuracy(model: nn.Module, digits: data.Digits) -> float:
    """Share of the test images that `model` classifies rightly."""
    with torch.no_grad():
        answers = model.eval()(torch.from_numpy(digits.test_images)).argmax(1)
    return float((answers == torch.from_numpy(digits.test_labels)).float().mean())


def _schedule(step: int, steps: int) -> float:
    warm_up = max(1, steps // 20)
    return min((step + 1) / warm_up, 0.5 * (1 + math.cos(math.pi * step / steps)))


def _uniform(count: int, reach: float) -> Tensor:
    return (2 * torch.rand(count) - 1) * reach


if __name__ == "__main__":
    main()
