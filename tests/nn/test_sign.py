"""Signs, their straight-through gradients, and where training and inference form part at an exact zero."""

from __future__ import annotations

import torch

from edgebin.nn.linear import BinaryLinear, SignPack
from edgebin.nn.packing import unpack_signs
from edgebin.nn.sign import activation_sign, binary_weight, weight_scale, weight_sign


def test_zero_has_sign_zero_in_training_and_plus_one_in_bits() -> None:
    x = torch.tensor([[-1.0, -0.0, 0.0, 1.0]])
    assert activation_sign(x).tolist() == [[-1, 0, 0, 1]]
    assert unpack_signs(SignPack(torch.zeros(4))(x))[0, :4].tolist() == [-1, 1, 1, 1]


def test_move_shifts_the_threshold_of_the_bits_exactly() -> None:
    """x + move < 0 and x < -move agree for every pair of floats, tiny differences included."""
    move = torch.tensor([0.1, -0.3, 1e-8, 1e30])
    x = torch.stack([torch.nextafter(-move, torch.full_like(move, side)) for side in (-torch.inf, torch.inf)])
    signs = activation_sign(x + move)
    assert (signs != 0).all()
    assert torch.equal(unpack_signs(SignPack(move)(x))[:, :4], signs)


def test_gradient_of_an_activation_sign_is_the_polynomials() -> None:
    x = torch.tensor([-1.5, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0], requires_grad=True)
    activation_sign(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 1, 2, 1.5, 0, 0]


def test_gradient_of_a_weight_stops_outside_of_one() -> None:
    weight = torch.tensor([[0.5, -1.0, 1.5, -2.0]], requires_grad=True)
    (binary_weight(weight, centred=True) * torch.tensor([[1.0, 2.0, 3.0, 4.0]])).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[1, 2, 0, 0]]


def test_scale_is_uncentred_and_sign_centred() -> None:
    weight = torch.tensor([[1.0, 2.0, 6.0], [-1.0, 0.0, 1.0]])
    assert weight_scale(weight).tolist() == [3, torch.tensor(2 / 3).item()]
    assert weight_sign(weight, centred=True).tolist() == [[-1, -1, 1], [-1, 0, 1]]
    assert weight_sign(weight, centred=False).tolist() == [[1, 1, 1], [-1, 0, 1]]


def test_a_weight_equal_to_the_mean_packs_as_plus_one() -> None:
    layer = BinaryLinear(3, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-1.0, 0.0, 1.0]]))
    assert unpack_signs(layer.packed_weight())[0, :3].tolist() == [-1, 1, 1]
