"""From the training form of a model to its inference form."""

from __future__ import annotations

import copy
from typing import Protocol, TypeVar, runtime_checkable

from torch import nn

Model = TypeVar("Model", bound=nn.Module)


@runtime_checkable
class Foldable(Protocol):
    """A module that knows its own inference form.

    The form takes the module's place and is called with the same arguments. The module belongs to a throw-away copy in
    evaluation mode, so the form may reuse its children or be the module itself, changed.
    """

    def inference_form(self) -> nn.Module: ...


def freeze(model: nn.Module) -> nn.Module:
    """A copy of `model` for inference and export; `model` itself stays as it is.

    Each layer becomes its inference form: latent weights packed to bits, scales, norms and biases folded in float64 and
    rounded once to float32, forward written with `torch.ops.edgebin`. The result is float32 whatever `model` was, keeps
    the batch dynamic under `torch.export`, and differs from `model.eval()` in float rounding and in that an exact zero
    before a sign counts as +1.
    """
    frozen = inference_form(copy.deepcopy(model).eval()).float()
    return frozen.requires_grad_(False).eval()


def inference_form(module: nn.Module) -> nn.Module:
    """The inference form of a module, or the module with its children in theirs."""
    if isinstance(module, Foldable):
        return module.inference_form()
    for name, child in module.named_children():
        setattr(module, name, inference_form(child))
    return module
