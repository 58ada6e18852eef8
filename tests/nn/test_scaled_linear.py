"""BiViT's binary layers: scales of every sign, zeros in the input, and what they learn from."""

from __future__ import annotations

import pytest
import torch

from edgebin.nn.freeze import freeze
from edgebin.nn.scaled_linear import InputKind, ScaledBinaryLinear
from edgebin.nn.sign import clipped_sign
from tests.nn.test_inference_forms import assert_same, randomise, tokens


def layer(inputs: InputKind, *, learned_scale: bool, width: int = 72, out: int = 16) -> ScaledBinaryLinear:
    module = randomise(ScaledBinaryLinear(width, out, learned_scale=learned_scale, inputs=inputs))
    assert isinstance(module, ScaledBinaryLinear)
    return module


@pytest.mark.parametrize("learned_scale", [True, False])
@pytest.mark.parametrize("inputs", ["sign", "ternary", "float"])
@pytest.mark.parametrize("width", [64, 72, 200])
def test_forms_agree(inputs: InputKind, learned_scale: bool, width: int) -> None:
    x = tokens(2, 5, width)
    assert_same(layer(inputs, learned_scale=learned_scale, width=width), (4 * x).round() if inputs == "ternary" else x)


@pytest.mark.parametrize("inputs", ["sign", "ternary", "float"])
def test_negative_and_zero_scale(inputs: InputKind) -> None:
    """A negative scale turns the layer round, a scale of zero leaves the bias."""
    module = layer(inputs, learned_scale=True)
    with torch.no_grad():
        module.scaling_factor[:8] = -module.scaling_factor[:8].abs()
        module.scaling_factor[8:] = 0
        x = (3 * tokens(2, 5, 72)).round() + (0.0 if inputs == "ternary" else 0.25)
        y = freeze(module)(x)
        torch.testing.assert_close(y[..., 8:], module.bias[8:].expand(2, 5, 8), rtol=0, atol=0)
        module.scaling_factor.neg_()
        flipped = 2 * module.bias - freeze(module)(x)
        torch.testing.assert_close(y, flipped)
    assert_same(module, x)


def test_zeros_of_integers_count_as_zero_and_not_as_one() -> None:
    module = layer("ternary", learned_scale=True)
    x = torch.zeros(1, 1, 72)
    with torch.no_grad():
        torch.testing.assert_close(freeze(module)(x), module.bias.expand(1, 1, 16), rtol=0, atol=0)
        x[..., ::2] = tokens(1, 1, 36).sign()
        assert_same(module, x)
        torch.testing.assert_close(freeze(module.float())(x), freeze(module)(x.int()), rtol=0, atol=0)


def test_gradient_of_the_sign_is_the_identity_inside_one() -> None:
    x = torch.tensor([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], requires_grad=True)
    clipped_sign(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("inputs", ["sign", "float"])
def test_weights_scales_and_bias_learn(inputs: InputKind) -> None:
    """d/dW of s · sgn(W - mean) · x is s · x where |W| <= 1, d/ds is the integer sum."""
    module = layer(inputs, learned_scale=True, width=8, out=3).double()
    x = tokens(4, 8).double()
    module(x).sum().backward()
    signs = x if inputs == "float" else x.sign()
    inside = module.weight.abs() <= 1
    assert inside.any()
    assert not inside.all()
    assert module.weight.grad is not None
    assert module.scaling_factor.grad is not None
    torch.testing.assert_close(module.weight.grad, inside * module.scaling_factor.detach() * signs.sum(0))
    weight = (module.weight - module.weight.mean(1, keepdim=True)).sign().detach()
    torch.testing.assert_close(module.scaling_factor.grad, (weight @ signs.T).sum(1, keepdim=True))
    assert module.bias.grad is not None
    assert (module.bias.grad == 4).all()


def test_a_fresh_scale_is_the_mean_magnitude() -> None:
    learned = ScaledBinaryLinear(32, 4, learned_scale=True, inputs="sign")
    torch.testing.assert_close(learned.scaling_factor.squeeze(1), learned.weight.abs().mean(1))
