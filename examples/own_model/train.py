"""Trains `net.OwnViT` on handwritten digits for about a minute and keeps its parameters.

python examples/own_model/train.py --output own.safetensors
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from net import OwnViT
from safetensors.torch import save_file
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "digits"))
import data


def main() -> None:
    """Fits with AdamW and a one-cycle schedule, and says how well the network does on images it has not seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("own.safetensors"))
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    torch.manual_seed(0)
    digits, net = data.load(), OwnViT()
    images, labels = torch.from_numpy(digits.train_images), torch.from_numpy(digits.train_labels)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.0)
    steps = options.epochs * (len(images) // 32)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for epoch in range(options.epochs):
        order = torch.randperm(len(images))
        for batch in order[: len(images) // 32 * 32].split(32):
            loss = functional.cross_entropy(net(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {options.epochs}: loss {loss.item():.3f}")
    net.eval()
    with torch.no_grad():
        right = net(torch.from_numpy(digits.test_images)).argmax(1) == torch.from_numpy(digits.test_labels)
    print(f"test accuracy {right.float().mean():.2%}")
    save_file(net.state_dict(), options.output)
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
